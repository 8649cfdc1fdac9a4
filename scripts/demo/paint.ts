import { crc32, deflateSync } from 'node:zlib'

/** Red, green and blue, each from 0 to 255. */
export type Colour = readonly [number, number, number]
/** Something flat: how far a point is from its edge, negative inside; in the unit of the picture's height. */
export type Shape = (x: number, y: number) => number

/** From the six digits of CSS. */
export function colour (digits: string): Colour {
  const value = parseInt(digits, 16)
  return [value >> 16, value >> 8 & 255, value & 255]
}

export function mix (a: Colour, b: Colour, part: number): Colour {
  const p = Math.min(1, Math.max(0, part))
  return [a[0] + (b[0] - a[0]) * p, a[1] + (b[1] - a[1]) * p, a[2] + (b[2] - a[2]) * p]
}

export const ellipse = (cx: number, cy: number, rx: number, ry = rx): Shape =>
  (x, y) => (Math.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2) - 1) * Math.min(rx, ry)

/** A line from a point to another one, with round ends. */
export function stroke (ax: number, ay: number, bx: number, by: number, width: number): Shape {
  const [dx, dy] = [bx - ax, by - ay]
  return (x, y) => {
    const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)))
    return Math.sqrt((x - ax - dx * along) ** 2 + (y - ay - dy * along) ** 2) - width / 2
  }
}

export function union (...shapes: Shape[]): Shape {
  return (x, y) => {
    let least = Infinity
    for (const shape of shapes) least = Math.min(least, shape(x, y))
    return least
  }
}

/** A shape that lies within `reach` of a point: from afar only that is looked at. */
export const within = (cx: number, cy: number, reach: number, shape: Shape): Shape => (x, y) => {
  const away = Math.max(Math.abs(x - cx), Math.abs(y - cy)) - reach
  return away > 0.01 ? away : shape(x, y)
}

export const both = (a: Shape, b: Shape): Shape => (x, y) => Math.max(a(x, y), b(x, y))
export const without = (shape: Shape, hole: Shape): Shape => (x, y) => Math.max(shape(x, y), -hole(x, y))
export const ring = (shape: Shape, width: number): Shape => (x, y) => Math.abs(shape(x, y)) - width / 2
export const above = (line: number): Shape => (_, y) => y - line
export const below = (line: number): Shape => (_, y) => line - y

/** How much of a pixel a shape covers. */
export const cover = (distance: number, pixel: number): number => Math.min(1, Math.max(0, 0.5 - distance / pixel))

/** A PNG of what `at` says for each point; y goes from 0 to 1, x from 0 to width / height. */
export function png (width: number, height: number, at: (x: number, y: number) => Colour): Buffer {
  const lineBytes = 1 + width * 3
  const lines = Buffer.alloc(lineBytes * height)
  for (let row = 0; row < height; row++) {
    // Each byte stands for its difference to the one on its left: smooth pictures become small.
    lines[row * lineBytes] = 1
    let before: Colour = [0, 0, 0]
    for (let column = 0; column < width; column++) {
      const [red, green, blue] = at((column + 0.5) / height, (row + 0.5) / height)
      const now: Colour = [Math.round(red), Math.round(green), Math.round(blue)]
      const place = row * lineBytes + 1 + column * 3
      for (const part of [0, 1, 2] as const) lines[place + part] = now[part] - before[part] & 255
      before = now
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // Eight bits for each of three colours.
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0))
  ])
}

function chunk (type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const frame = Buffer.alloc(8 + body.length)
  frame.writeUInt32BE(data.length, 0)
  body.copy(frame, 4)
  frame.writeUInt32BE(crc32(body), 4 + body.length)
  return frame
}
