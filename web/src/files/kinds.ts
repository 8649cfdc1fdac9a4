import type { Attachment, Message } from '@tidelog/client'
import { oneLine } from '../conversation/tokens.ts'
import { language, texts } from '../i18n/index.ts'

export type Kind = 'image' | 'video' | 'audio' | 'file'

/** What the browser shows in its place; everything else is a card. */
const shown = new Set([
  'image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'video/mp4', 'video/webm', 'audio/mpeg',
  'audio/mp4', 'audio/x-m4a', 'audio/ogg', 'audio/wav', 'audio/webm', 'audio/aac', 'audio/flac'
])

export function kindOf ({ type = '' }: Pick<Attachment, 'type'>): Kind {
  return shown.has(type) ? type.split('/')[0] as Kind : 'file'
}

/** A message in one line: its text, or what it carries. */
export function lineOf (message: Message): string {
  const { attachments: [first], attachments } = message
  const text = oneLine(message.text)
  if (text !== '' || first === undefined) return text
  const t = texts.value.files
  const kinds = new Set(attachments.map(kindOf))
  const [kind] = kinds
  if (kinds.size > 1) return t.files(attachments.length)
  if (kind === 'image') return t.pictures(attachments.length)
  if (kind === 'video') return t.videos(attachments.length)
  if (kind === 'audio') return t.sounds(attachments.length)
  return attachments.length > 1 ? t.files(attachments.length) : first.name ?? t.files(1)
}

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte']

export function sizeText (bytes: number): string {
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  const amount = bytes / 1_000 ** step
  return new Intl.NumberFormat(language.value, {
    style: 'unit',
    unit: units[step]!,
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: amount < 10 ? 1 : 0
  }).format(amount)
}

/** "PDF", from the name, or else from the type. */
export function typeText ({ name = '', type = '' }: Attachment): string {
  const ending = /\.(\w{1,5})$/.exec(name)?.[1] ?? type.split('/')[1]?.replace(/^x-|^vnd\.|\+.*$/g, '') ?? ''
  return ending.length > 0 && ending.length <= 8 ? ending.toUpperCase() : ''
}

/** Pixels on the page: within a box, in the picture's own ratio. Unknown ones are square. */
export function fitted (
  { width = 240, height = 240 }: Pick<Attachment, 'width' | 'height'>, box = { width: 320, height: 320 }
) {
  const scale = Math.min(1, box.width / width, box.height / height)
  // A narrow stripe would be too small to be pressed.
  return { width: Math.max(64, Math.round(width * scale)), height: Math.max(48, Math.round(height * scale)) }
}
