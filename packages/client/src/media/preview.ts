import { encode } from 'blurhash'
import { type Bitmap, type Recording, browser } from './browser.ts'

/** Pixels of the longer side: the preview shows no more than a few spots. */
const side = 32

/** A picture in some 30 characters, in the form of blurha.sh. */
export function previewOf (source: Bitmap | Recording, width: number, height: number): string {
  const scale = side / Math.max(width, height)
  const [across, down] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))]
  const context = new browser.OffscreenCanvas(across, down).getContext('2d')
  // What is behind what one can see through.
  context.fillStyle = '#888'
  context.fillRect(0, 0, across, down)
  context.drawImage(source, 0, 0, across, down)
  const { data } = context.getImageData(0, 0, across, down)
  return width >= height ? encode(data, across, down, 4, 3) : encode(data, across, down, 3, 4)
}
