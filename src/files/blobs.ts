import type { Readable } from 'node:stream'

/**
 * The bytes of files, each under the id of its file. One request at a time writes to a blob; when it is whole, it never
 * changes again.
 * @throws TidelogError UNAVAILABLE while the place of the blobs does not answer; STORAGE_FULL
 */
export interface Blobs {
  /** Makes an empty blob; one that is there stays as it is. */
  create: (id: string) => Promise<void>
  /** Bytes that are there; undefined: there is no such blob. */
  size: (id: string) => Promise<number | undefined>
  /**
   * Writes bytes behind those that are there. What came before an error stays.
   * @param requireRight is called when it is settled where the bytes go, and throws if the caller may not write any
   * more: a `fence` that comes later keeps the bytes away from the blob
   * @returns the new size
   */
  write: (id: string, offset: number, bytes: Readable, requireRight?: () => Promise<void>) => Promise<number>
  /**
   * Shuts out writes that began before, even those of a process that was suspended: nothing that they still write
   * becomes a part of the blob. What is there stays.
   */
  fence: (id: string) => Promise<void>
  /** The bytes from `start` to before `end`; undefined: they are not all there. */
  read: (id: string, start: number, end: number) => Promise<Readable | undefined>
  /** Waits until a blob would survive a crash of the machine. @returns false: there is certainly no such blob */
  sync: (id: string) => Promise<boolean>
  /** Removing it again changes nothing. */
  remove: (id: string) => Promise<void>
  /** The ids of all blobs. */
  ids: () => AsyncIterable<string>
  /** Is a copy being made? Then nothing is removed. */
  isHeld: () => Promise<boolean>
  /** Free bytes of where they are. */
  free: () => Promise<number>
  /** Asks the place of the blobs for a sign of life. */
  check: () => Promise<void>
  /** Whether it answered when it was last asked for anything. */
  readonly isUp: boolean
}
