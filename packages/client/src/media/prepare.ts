import type { PreparedFile } from '../values.ts'
import { preparePicture } from './picture.ts'
import { prepareRecording } from './recording.ts'

export interface PrepareOptions {
  name?: string | undefined
  /** As it is, with the place and camera. */
  original?: boolean | undefined
}

/**
 * A file that can be sent. Pictures are drawn anew: without where and by what they were taken, and at most 2,560 pixels
 * long. What cannot be looked at here (in Node, nothing can) goes as it is.
 */
export async function prepareFile (
  file: Blob, { name = (file as Partial<File>).name ?? '', original = false }: PrepareOptions = {}
): Promise<PreparedFile> {
  const { type, size } = file
  // A `File` is stored as what it is: its bytes.
  const given: PreparedFile = { bytes: file.slice(0, size, type), name, type, size }
  const family = type.split('/')[0]
  try {
    if (family === 'image') return await preparePicture(given, original)
    if (family === 'video' || family === 'audio') return { ...given, ...await prepareRecording(file, family) }
  } catch {
    // This browser cannot show it; another one may.
  }
  return family === 'image' && !original ? { ...given, keepsDetails: true } : given
}
