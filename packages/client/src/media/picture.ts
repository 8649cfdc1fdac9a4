import type { PreparedFile } from '../values.ts'
import { type Bitmap, browser } from './browser.ts'
import { previewOf } from './preview.ts'

/** Pixels of the longer side. */
const sideMax = 2_560
const quality = 0.85
/** Bytes in which a picture says whether it moves. */
const headBytes = 65_536

/** @throws if this is no picture that the browser knows */
export async function preparePicture (given: PreparedFile, original: boolean): Promise<PreparedFile> {
  const { bytes, type = '' } = given
  const bitmap = await browser.createImageBitmap(bytes)
  try {
    const { width, height } = bitmap
    const seen = { ...given, width, height, blurhash: previewOf(bitmap, width, height) }
    if (original) return seen
    // Drawn, it would stand still. A GIF has no place for details.
    if (await isMoving(bytes, type)) return type === 'image/gif' ? seen : { ...seen, keepsDetails: true }
    return { ...seen, ...await drawnAnew(bitmap, seen) }
  } finally {
    bitmap.close()
  }
}

async function drawnAnew (
  bitmap: Bitmap, { name = '', type = '' }: PreparedFile
): Promise<Partial<PreparedFile> & { bytes: Blob }> {
  const scale = Math.min(1, sideMax / Math.max(bitmap.width, bitmap.height))
  const scaled = (pixels: number) => Math.max(1, Math.round(pixels * scale))
  const [width, height] = [scaled(bitmap.width), scaled(bitmap.height)]
  const canvas = new browser.OffscreenCanvas(width, height)
  const context = canvas.getContext('2d')
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, 0, 0, width, height)
  const wanted = type === 'image/png' || type === 'image/webp' ? type : 'image/jpeg'
  // A browser that does not write this type writes PNG.
  const bytes = await canvas.convertToBlob({ type: wanted, quality })
  const isSame = bytes.type === type
  return { bytes, width, height, type: bytes.type, size: bytes.size, name: isSame ? name : renamed(name, bytes.type) }
}

function renamed (name: string, type: string): string {
  return `${name.replace(/\.[^.]*$/, '')}.${type === 'image/jpeg' ? 'jpg' : type.slice('image/'.length)}`
}

async function isMoving (bytes: Blob, type: string): Promise<boolean> {
  if (type === 'image/gif') return true
  const head = new Uint8Array(await bytes.slice(0, headBytes).arrayBuffer())
  const text = new TextDecoder('latin1').decode(head)
  switch (type) {
    // Named by the standards: a chunk, a flag, a brand.
    case 'image/png':
    case 'image/apng': return text.includes('acTL')
    case 'image/webp': return text.startsWith('VP8X', 12) && ((head[20] ?? 0) & 2) !== 0
    case 'image/avif': return text.slice(0, 64).includes('avis')
    default: return false
  }
}
