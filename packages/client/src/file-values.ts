/** A file that a message carries; the first six are set by the server. */
export interface Attachment {
  id: string
  /** It is not sent yet: the id is one of this device, for `files.pending` and `files.progress`. */
  isPending?: true | undefined
  name?: string | undefined
  type?: string | undefined
  size?: number | undefined
  width?: number | undefined
  height?: number | undefined
  durationMs?: number | undefined
  blurhash?: string | undefined
}

/** A file that can be sent, with what is known of it. */
export interface PreparedFile extends Omit<Attachment, 'id' | 'isPending'> {
  bytes: Blob
  /** The picture may still say where and with which camera it was taken: it could not be encoded anew here. */
  keepsDetails?: true | undefined
}
