import { isUtf8 } from 'node:buffer'
import { fileTypeFromBuffer } from 'file-type'
import { imageSize } from 'image-size'

/** Bytes from which the type of a file is told: what the library reads at most. */
const typeBytes = 4_100
/** Bytes in which the size of a picture is searched: cameras put notes and a small picture before it. */
export const pictureBytes = 512 * 1_024

/** Pictures that every browser shows. None of them can hold a script that a browser would run. */
const pictures = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'])
/** The types that a browser may show; it downloads all others. */
const inline = new Set([
  ...pictures, 'video/mp4', 'video/webm', 'audio/mpeg', 'audio/mp4', 'audio/x-m4a', 'audio/ogg', 'audio/wav'
])
/** Names that browsers know better than those of the library. */
const usual = new Map([['image/apng', 'image/png'], ['audio/vnd.wave', 'audio/wav'], ['video/matroska', 'video/webm'],
  ['audio/x-m4a', 'audio/mp4'], ['video/x-m4v', 'video/mp4']])

export function isPicture (type: string): boolean {
  return pictures.has(type)
}

export function isInline (type: string): boolean {
  return inline.has(type)
}

/**
 * The media type of a file that begins with these bytes. What its sender says of it counts for nothing: a type is what
 * a browser acts on. HTML and scripts are plain text.
 */
export async function typeOf (beginning: Buffer): Promise<string> {
  const start = beginning.subarray(0, typeBytes)
  const found = await fileTypeFromBuffer(start)
  if (found !== undefined) {
    // What comes after a semicolon names a codec.
    const type = found.mime.split(';')[0]!
    return usual.get(type) ?? type
  }
  return isText(start) ? 'text/plain' : 'application/octet-stream'
}

/** Is this the beginning of a text in UTF-8? Its last character may be cut. */
function isText (start: Buffer): boolean {
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(start.toString('latin1'))) return false
  const cuts = start.length === typeBytes ? [0, 1, 2, 3] : [0]
  return cuts.some(cut => isUtf8(start.subarray(0, start.length - cut)))
}

/** The size in pixels at which a picture is to be shown; undefined if its beginning does not say. */
export function pictureSize (type: string, beginning: Buffer): { width: number, height: number } | undefined {
  if (!isPicture(type)) return undefined
  try {
    const { width, height, orientation = 1 } = imageSize(beginning)
    if (!(width > 0 && height > 0)) return undefined
    // From the fifth orientation on, a picture lies on its side.
    return orientation >= 5 ? { width: height, height: width } : { width, height }
  } catch {
    return undefined
  }
}
