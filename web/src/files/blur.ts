import { decode } from 'blurhash'

/** Draws a preview; loaded with the first picture that is not there yet. */
export function draw (canvas: HTMLCanvasElement, hash: string): void {
  const context = canvas.getContext('2d')
  if (context === null) return
  try {
    const { width, height } = canvas
    context.putImageData(new ImageData(new Uint8ClampedArray(decode(hash, width, height)), width, height), 0, 0)
  } catch {
    // Somebody's client made it up: there is none.
  }
}
