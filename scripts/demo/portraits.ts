import {
  above, below, both, type Colour, colour, cover, ellipse, mix, png, ring, type Shape, stroke, union, without
} from './paint.ts'

/** Edge of a portrait in pixels: twice what the largest place in the app shows. */
const side = 192

const skins = { fair: 'f2cdb4', tan: 'd9a27c', warm: 'b97b55', deep: '7a4a34' }
const hairs = {
  black: '26242a',
  brown: '5a3b2b',
  chestnut: '85502f',
  blond: 'd8b26a',
  red: 'b5562f',
  grey: 'b9bcc0',
  rose: 'b4627a',
  sea: '2f7f86'
}
const clothes = {
  teal: '0b6670',
  navy: '2b4263',
  rust: 'b4552d',
  olive: '6f7a3c',
  cream: 'ece3d0',
  plum: '6d4263',
  yellow: 'e0a83a',
  slate: '5b6c7a'
}
const grounds = {
  mist: 'cfe0e6',
  sage: 'cbd9bf',
  clay: 'e6c6b0',
  dusk: 'c0bddb',
  sea: '9fd0d0',
  rose: 'e9c7cd',
  sun: 'f3d79c',
  stone: 'd5d3cb'
}

/** Skin, hair, its cut, clothes, ground, and what somebody wears. Who is not here has no picture. */
const looks: Record<string, string> = {
  mara: 'fair blond bob teal mist',
  ingrid: 'fair grey bun navy clay glasses',
  leila: 'tan rose scarf plum sun',
  haruka: 'fair black bob cream rose',
  tomas: 'tan brown short slate sage beard',
  priya: 'warm black long rust sun',
  wen_: 'fair black short navy sea glasses',
  ola: 'deep black crop yellow dusk beard',
  elif: 'tan chestnut long olive mist',
  jun: 'fair black crop teal stone',
  nani: 'warm black long yellow sea',
  theo: 'fair brown short cream dusk glasses',
  anouk: 'fair red bun olive sage',
  bjorn: 'fair blond hat navy stone beard',
  chidi: 'deep black crop rust mist glasses',
  freya: 'fair red long teal clay',
  gus: 'tan grey short plum sun beard',
  hana: 'fair black bun slate rose',
  ines: 'tan brown bob rust sage',
  kofi: 'deep black hat yellow clay',
  lena: 'fair chestnut bun cream dusk',
  nour: 'tan sea scarf navy stone',
  quinn: 'fair red crop olive mist beard',
  rosa: 'warm brown bob plum sea glasses',
  sanjay: 'warm black short teal sun beard',
  uma: 'warm grey bun rust rose',
  willa: 'deep rose hat slate sage',
  yusuf: 'deep black crop cream clay beard',
  zoe: 'tan black long navy sun'
}

/** Somebody's portrait as a PNG; undefined for those who never chose one. */
export function portrait (username: string): Buffer | undefined {
  const look = looks[username]?.split(' ')
  if (look === undefined) return undefined
  const layers = layersOf(look)
  const ground = toneOf(grounds, look[4])
  const [high, low] = [mix(ground, white, 0.35), mix(ground, [60, 80, 110], 0.12)]
  return png(side, side, (x, y) =>
    layers.reduce((under, [tone, shape]) => mix(under, tone, cover(shape(x, y), 1 / side)), mix(high, low, y)))
}

type Layer = [Colour, Shape]

const white: Colour = [255, 255, 255]
const black: Colour = [0, 0, 0]

/** From the back to the front. */
function layersOf ([skinName, hairName, cut = '', clothName, , worn]: string[]): Layer[] {
  const skin = toneOf(skins, skinName)
  const hair = toneOf(hairs, hairName)
  const shade = mix(skin, [70, 30, 20], 0.28)
  const ink = mix(skin, [35, 20, 25], 0.85)
  const { back, front } = cuts[cut] ?? { back: [], front: [] }
  const isScarf = cut === 'scarf'
  const head: Layer[] = isScarf
    ? [[mix(hair, black, 0.12), ellipse(0.5, 0.76, 0.19, 0.12)]]
    : [[shade, neck], [skin, collar], [shade, ears]]
  const layers: Layer[] = [
    ...back.map((shape): Layer => [isScarf ? hair : mix(hair, black, 0.16), shape]),
    [toneOf(clothes, clothName), shoulders],
    ...head,
    [skin, face],
    [mix(skin, [220, 90, 80], 0.22), cheeks]
  ]
  if (worn === 'beard') layers.push([mix(hair, skin, 0.12), beard])
  layers.push([ink, eyes], [ink, smile], ...front.map((shape): Layer => [hair, shape]))
  if (cut === 'hat') layers.push([mix(hair, white, 0.25), brim])
  if (worn === 'glasses') layers.push([mix(ink, [40, 60, 80], 0.4), glasses])
  return layers
}

const face = ellipse(0.5, 0.46, 0.165, 0.2)
const shoulders = union(ellipse(0.5, 1.03, 0.36, 0.27), both(ellipse(0.5, 0.92, 0.3, 0.16), below(0.8)))
const neck = stroke(0.5, 0.6, 0.5, 0.78, 0.15)
const ears = union(ellipse(0.336, 0.475, 0.028, 0.038), ellipse(0.664, 0.475, 0.028, 0.038))
const eyes = union(ellipse(0.432, 0.465, 0.0145, 0.018), ellipse(0.568, 0.465, 0.0145, 0.018))
const smile = both(ring(ellipse(0.5, 0.52, 0.058, 0.06), 0.014), below(0.548))
const cheeks = union(ellipse(0.4, 0.525, 0.03, 0.02), ellipse(0.6, 0.525, 0.03, 0.02))
const collar = ellipse(0.5, 0.77, 0.105, 0.07)
const beard = without(both(ellipse(0.5, 0.47, 0.175, 0.215), below(0.47)), ellipse(0.5, 0.43, 0.135, 0.125))
const brim = both(ellipse(0.5, 0.4, 0.2, 0.19), both(below(0.325), above(0.385)))
const glasses = union(
  ring(ellipse(0.43, 0.468, 0.052), 0.013),
  ring(ellipse(0.57, 0.468, 0.052), 0.013),
  stroke(0.482, 0.46, 0.518, 0.46, 0.012)
)

/** Hair behind the head and in front of it. */
const cap = ellipse(0.5, 0.42, 0.19, 0.2)
const cuts: Record<string, { back: Shape[], front: Shape[] }> = {
  short: { back: [], front: [without(both(cap, above(0.44)), ellipse(0.53, 0.52, 0.16, 0.17))] },
  crop: {
    back: [],
    front: [without(both(ellipse(0.5, 0.44, 0.175, 0.195), above(0.4)), ellipse(0.5, 0.5, 0.152, 0.165))]
  },
  bob: {
    back: [union(ellipse(0.5, 0.45, 0.23, 0.245), both(ellipse(0.5, 0.55, 0.235, 0.16), above(0.665)))],
    front: [without(both(ellipse(0.5, 0.42, 0.2, 0.21), above(0.5)), ellipse(0.56, 0.53, 0.185, 0.19))]
  },
  long: {
    back: [union(ellipse(0.5, 0.45, 0.225, 0.245), both(ellipse(0.5, 0.68, 0.25, 0.3), above(0.86)))],
    front: [without(both(ellipse(0.5, 0.42, 0.2, 0.21), above(0.5)), ellipse(0.44, 0.53, 0.185, 0.19))]
  },
  bun: {
    back: [ellipse(0.5, 0.2, 0.085, 0.08)],
    front: [without(both(ellipse(0.5, 0.43, 0.188, 0.2), above(0.47)), ellipse(0.5, 0.53, 0.155, 0.185))]
  },
  hat: {
    back: [ellipse(0.5, 0.185, 0.045)],
    front: [both(ellipse(0.5, 0.4, 0.2, 0.21), above(0.385))]
  },
  scarf: {
    back: [union(ellipse(0.5, 0.47, 0.235, 0.26), both(ellipse(0.5, 0.72, 0.26, 0.24), above(0.84)))],
    front: [without(ellipse(0.5, 0.46, 0.215, 0.245), ellipse(0.5, 0.475, 0.148, 0.185))]
  }
}

function toneOf (tones: Record<string, string>, name = ''): Colour {
  return colour(tones[name] ?? '808080')
}
