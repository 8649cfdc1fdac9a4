/** A square of a picture: its middle in pixels, and how often it fits into the picture's shorter side. */
export interface Frame {
  x: number
  y: number
  zoom: number
}

interface Size { width: number, height: number }

/** Pixels of a side below which a square shows nothing but pixels. */
const sideMin = 128
const zoomMost = 8

export const sideOf = ({ width, height }: Size, { zoom }: Pick<Frame, 'zoom'>): number => Math.min(width, height) / zoom

/** How far one can zoom into a picture: from 1 to this. */
export const zoomMax = ({ width, height }: Size): number =>
  Math.max(1, Math.min(zoomMost, Math.min(width, height) / sideMin))

/** The largest square in the middle. */
export const wholeFrame = ({ width, height }: Size): Frame => ({ x: width / 2, y: height / 2, zoom: 1 })

/** A frame after a move, in pixels of the picture, and a zoom. It never leaves the picture. */
export function changed (
  size: Size, frame: Frame, { dx = 0, dy = 0, by = 1 }: { dx?: number, dy?: number, by?: number }
): Frame {
  const zoom = between(1, frame.zoom * by, zoomMax(size))
  const half = sideOf(size, { zoom }) / 2
  return {
    x: between(half, frame.x + dx, size.width - half),
    y: between(half, frame.y + dy, size.height - half),
    zoom
  }
}

const between = (least: number, value: number, most: number): number => Math.max(least, Math.min(value, most))
