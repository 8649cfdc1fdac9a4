/** The parts of LMDB keys, as byte strings (one latin1 character for each byte). */

/** Four bytes, big-endian: the prefix of a collection's or an index's keys. 0 is the catalog. */
export function prefixOf (id: number): string {
  return String.fromCharCode(id >>> 24, (id >>> 16) & 255, (id >>> 8) & 255, id & 255)
}

/** The next prefix, which is the end of this id's range. */
export function prefixEnd (id: number): string {
  return prefixOf(id + 1)
}

export const RECORD_ID_BYTES = 8

/** Eight bytes, big-endian, so that records sort in the order of their insertion. */
export function recordId (number: number): string {
  const high = Math.floor(number / 2 ** 32)
  const low = number >>> 0
  return prefixOf(high) + prefixOf(low)
}

export function recordNumber (id: string): number {
  let number = 0
  for (let i = 0; i < RECORD_ID_BYTES; i++) number = number * 256 + id.charCodeAt(i)
  return number
}

export const toBytes = (key: string): Buffer => Buffer.from(key, 'latin1')
export const fromBytes = (bytes: Uint8Array): string => Buffer.prototype.latin1Slice.call(bytes, 0, bytes.length)
