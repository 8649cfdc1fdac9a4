import type { File } from '../schemas/file.ts'
import type { FileRow } from './file-row.ts'

/** A file that is whole, as clients get it. */
export function filePayload ({ _id, name, type, size, width, height }: FileRow): File {
  return {
    _id: _id.toHexString(),
    name,
    type: type!,
    size,
    ...(
      width === undefined || height === undefined ? {} : { width, height }
    )
  }
}
