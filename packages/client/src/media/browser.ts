/** What of the browser is used here: this folder is checked without the browser's types too. */

export interface Bitmap {
  width: number
  height: number
  close: () => void
}

export interface Recording {
  muted: boolean
  preload: string
  src: string
  currentTime: number
  /** Seconds; not finite if nobody knows. */
  duration: number
  /** Pixels; undefined in sound. */
  videoWidth?: number
  videoHeight?: number
  error: Error | null
  load: () => void
  removeAttribute: (name: string) => void
  addEventListener: (event: string, fn: () => void, options: { once: true }) => void
}

interface Context {
  fillStyle: string
  imageSmoothingQuality: string
  fillRect: (x: number, y: number, width: number, height: number) => void
  drawImage: (source: Bitmap | Recording, x: number, y: number, width: number, height: number) => void
  getImageData: (x: number, y: number, width: number, height: number) => { data: Uint8ClampedArray }
}

interface Canvas {
  getContext: (kind: '2d') => Context
  convertToBlob: (options: { type: string, quality: number }) => Promise<Blob>
}

export const browser = globalThis as unknown as {
  createImageBitmap: (bytes: Blob) => Promise<Bitmap>
  OffscreenCanvas: new (width: number, height: number) => Canvas
  document: { createElement: (kind: 'video' | 'audio') => Recording }
  setTimeout: (fn: () => void, ms: number) => void
}
