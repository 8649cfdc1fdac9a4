import type { Attachment, CallOptions, PreparedFile, Readable } from './values.ts'

/** What a file is uploaded with. */
export interface UploadOptions extends CallOptions {
  /** Default: the name of a `File`. */
  name?: string | undefined
  /** In bytes. */
  onProgress?: ((sent: number, size: number) => void) | undefined
}

export interface Files {
  /**
   * Uploads a file now, as it is, and resolves when the server has all of it. It survives broken
   * connections, but not reloads. For files without a message: a picture of yours or of a room.
   */
  upload: (file: Blob, options?: UploadOptions) => Promise<Attachment>
  get: (id: string, options?: CallOptions) => Promise<Attachment>
  /**
   * Makes a file ready for `send`, which does it with every `Blob`: pictures are drawn anew, without where and by what
   * they were taken and at most 2,560 pixels long, unless they are to stay the `original`. Width, height, duration and
   * preview are found where there is a browser.
   */
  prepare: (file: Blob, options?: { name?: string, original?: boolean }) => Promise<PreparedFile>
  /** The bytes of an attachment that is not sent yet; undefined: it is not there any more. */
  pending: (id: string) => Promise<Blob | undefined>
  /** Bytes that the server has of the attachments that are being uploaded, by their ids. */
  readonly progress: Readable<ReadonlyMap<string, number>>
  /** A URL of the content, for `<img>` and `<video>`: good for five minutes at least. It needs no token. */
  url: (id: string, options?: CallOptions) => Promise<string>
}
