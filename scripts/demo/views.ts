import { both, type Colour, colour, cover, ellipse, mix, png, type Shape, stroke, union, within } from './paint.ts'

/** A picture that somebody took, in words: what the sky, the water and the land look like, and what is in front. */
interface View {
  /** From the top down to the horizon. */
  sky: [string, string, string]
  /** From the horizon down. */
  water: [string, string]
  land: string
  /** Where the sun or the moon is, and how large; without, the sky is covered. */
  light?: [x: number, y: number, radius: number, colour: string]
  horizon: number
  things: Shape[]
}

const bird = (x: number, y: number, size: number): Shape => within(x, y, size * 1.2, union(
  stroke(x - size, y - size * 0.35, x, y, size * 0.17), stroke(x, y, x + size, y - size * 0.45, size * 0.17)
))
const flock = (x: number, y: number, count: number, size: number): Shape[] => Array.from({ length: count }, (_, at) =>
  bird(x + (at * 0.618 % 1) * 0.62, y + (at * 0.414 % 1) * 0.2 + (at % 3) * 0.012, size * (0.7 + (at * 0.29 % 0.6))))
const posts = (x: number, y: number, count: number): Shape[] => Array.from({ length: count }, (_, at) =>
  stroke(x + at * 0.052, y - 0.09 + (at % 3) * 0.012, x + at * 0.052, y + 0.02 + at * 0.006, 0.011))
const boat = within(1.18, 0.5, 0.25, union(
  both(ellipse(1.18, 0.63, 0.2, 0.1), (_, y) => 0.66 - y),
  stroke(1.18, 0.66, 1.18, 0.34, 0.012),
  both(both(stroke(1.2, 0.6, 1.2, 0.4, 0.1), (x, y) => x - 1.2 - (y - 0.36) * 0.45), x => 1.2 - x)
))
const reeds = (from: number, to: number): Shape[] => Array.from({ length: 22 }, (_, at) => {
  const x = from + (to - from) * at / 22
  const lean = Math.sin(at * 2.4) * 0.035
  return within(x, 0.87, 0.17, stroke(x, 1.02, x + lean, 0.72 + (at * 0.37 % 0.16), 0.009))
})

const views: Record<string, View> = {
  dawn: {
    sky: ['3d5f86', 'e8b79a', 'f8dfb8'],
    water: ['d9b9a5', '27495d'],
    land: '1d323f',
    light: [1.12, 0.47, 0.045, 'fff4d6'],
    horizon: 0.52,
    things: [...posts(0.78, 0.66, 5), ...flock(0.28, 0.16, 9, 0.02)]
  },
  flats: {
    sky: ['8fb4c7', 'cfdde0', 'efe9dc'],
    water: ['c3c7bd', '7f8577'],
    land: '53604f',
    light: [0.5, 0.2, 0.06, 'fffdf4'],
    horizon: 0.4,
    things: [...posts(1.05, 0.56, 4), ...flock(0.3, 0.2, 5, 0.016)]
  },
  boat: {
    sky: ['2f6f8f', '8fc3cb', 'dcece4'],
    water: ['7fb3b8', '1d5566'],
    land: '34584f',
    horizon: 0.5,
    things: [boat, ...flock(0.25, 0.2, 4, 0.018)]
  },
  flock: {
    sky: ['6b6f9c', 'd79fa1', 'f4cfa2'],
    water: ['c99a90', '4a4463'],
    land: '2c2a40',
    light: [0.62, 0.5, 0.05, 'ffe9c0'],
    horizon: 0.62,
    things: [...flock(0.2, 0.1, 26, 0.02), ...flock(0.9, 0.2, 18, 0.015)]
  },
  reeds: {
    sky: ['bfd2cf', 'dbe4da', 'eef0e2'],
    water: ['c6d2c4', '5f7f74'],
    land: '4e6a58',
    light: [1.3, 0.18, 0.05, 'fffef2'],
    horizon: 0.46,
    things: [...reeds(0.02, 0.62), bird(1.1, 0.3, 0.028), bird(1.22, 0.26, 0.022)]
  },
  night: {
    sky: ['0d1f33', '1d4356', '4f7f86'],
    water: ['3c6a73', '0a2230'],
    land: '081722',
    light: [0.42, 0.22, 0.04, 'f3f0dc'],
    horizon: 0.55,
    things: posts(0.95, 0.7, 6)
  }
}

/** A view as a PNG: wide, or square for a room. */
export function view (name: string, width: number, height: number): Buffer {
  const { sky, water, land, light, horizon, things } = viewOf(name)
  const [skyTop, skyMiddle, skyLow] = sky.map(colour) as [Colour, Colour, Colour]
  const [waterFar, waterNear] = water.map(colour) as [Colour, Colour]
  const ground = colour(land)
  const glow = light === undefined ? undefined : colour(light[3])
  const front = union(...things)
  // A square shows the middle of what the wide picture shows.
  const shift = (16 / 9 - width / height) / 2
  const hill = (x: number, height: number, pace: number) =>
    horizon - height * (0.5 + 0.5 * Math.sin(x * pace + pace)) * (0.6 + 0.4 * Math.sin(x * pace * 2.7))

  return png(width, height, (column, y) => {
    const x = column + shift
    const isWater = y > horizon
    const depth = (y - horizon) / (1 - horizon)
    let tone = isWater
      ? mix(waterFar, waterNear, Math.sqrt(depth))
      : y < horizon / 2 ? mix(skyTop, skyMiddle, y / horizon * 2) : mix(skyMiddle, skyLow, y / horizon * 2 - 1)
    if (light !== undefined && glow !== undefined) {
      const [lx, ly, radius] = light
      const away = Math.sqrt((x - lx) ** 2 + (y - ly) ** 2)
      if (!isWater) {
        tone = mix(tone, glow, 0.55 * Math.exp(-away * 5))
        tone = mix(tone, glow, cover(away - radius, 1.5 / height))
      } else {
        // What the water throws back: a broken strip that widens towards us.
        const ripple = 0.5 + 0.5 * Math.sin(y * y * 190 + Math.sin(x * 9) * 2)
        tone = mix(tone, glow, 0.7 * ripple * Math.exp(-Math.abs(x - lx) / (0.03 + depth * 0.09)) * (1 - depth * 0.6))
      }
    }
    if (isWater) {
      const wave = Math.max(0, Math.sin(y * y * 150 + Math.sin(x * 5 + y * 20) * 1.6))
      tone = mix(tone, skyLow, 0.12 * wave * (1 - depth))
    } else if (y > horizon - 0.12) {
      tone = mix(tone, mix(ground, skyLow, 0.6), cover(hill(x, 0.1, 2.1) - y, 2 / height))
      tone = mix(tone, mix(ground, skyLow, 0.35), cover(hill(x + 2, 0.06, 3.3) - y, 2 / height))
    }
    tone = mix(tone, ground, cover(0.9 + 0.09 * Math.sin(x * 2.6 + 0.6) - y, 2 / height))
    return mix(tone, mix(ground, [0, 0, 0], 0.2), cover(front(x, y), 1 / height))
  })
}

function viewOf (name: string): View {
  const view = views[name]
  if (view === undefined) throw new Error(`there is no view called ${name}`)
  return view
}
