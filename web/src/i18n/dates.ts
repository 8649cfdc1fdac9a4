import { computed, signal } from '@preact/signals'
import { language, texts } from './index.ts'

const dayMs = 86_400_000

const formats = computed(() => {
  const tag = language.value === 'en' && navigator.language.startsWith('en') ? navigator.language : language.value
  return {
    time: new Intl.DateTimeFormat(tag, { hour: 'numeric', minute: '2-digit' }),
    weekday: new Intl.DateTimeFormat(tag, { weekday: 'short' }),
    day: new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short' }),
    year: new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', year: 'numeric' }),
    longDay: new Intl.DateTimeFormat(tag, { weekday: 'long', day: 'numeric', month: 'long' }),
    longYear: new Intl.DateTimeFormat(tag, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    full: new Intl.DateTimeFormat(tag, { dateStyle: 'full', timeStyle: 'short' }),
    relative: new Intl.RelativeTimeFormat(tag, { numeric: 'auto' })
  }
})

/** The day that it is here, as its first millisecond: what names days by it is drawn again at midnight. */
const today = signal(0)

function keepToday () {
  const now = new Date()
  today.value = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime()
  const tomorrow = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime()
  setTimeout(keepToday, tomorrow - now.getTime())
}
keepToday()

export const clockTime = (at: number | Date): string => formats.value.time.format(new Date(at))
export const fullTime = (at: number | Date): string => formats.value.full.format(new Date(at))

/** When, in as few characters as a list has room for: 9:41, Tue, 2 Nov, 2 Nov 2025. */
export function shortWhen (at: number | Date): string {
  const [date, now] = [new Date(at), new Date(today.value)]
  const days = daysBetween(date, now)
  if (days <= 0) return clockTime(date)
  if (days < 7) return formats.value.weekday.format(date)
  return (date.getFullYear() === now.getFullYear() ? formats.value.day : formats.value.year).format(date)
}

/** The name of a day, for the line above its messages. */
export function dayName (at: number | Date): string {
  const [date, now] = [new Date(at), new Date(today.value)]
  const days = daysBetween(date, now)
  if (days === 0) return texts.value.time.today
  if (days === 1) return texts.value.time.yesterday
  return (date.getFullYear() === now.getFullYear() ? formats.value.longDay : formats.value.longYear).format(date)
}

/** "12 minutes ago", "yesterday", "last month". */
export function ago (at: number | Date, now = new Date()): string {
  const seconds = (new Date(at).getTime() - now.getTime()) / 1_000
  const steps: Array<[Intl.RelativeTimeFormatUnit, number]> = [
    ['year', 31_536_000],
    ['month', 2_592_000],
    ['week', 604_800],
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60]
  ]
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return formats.value.relative.format(Math.round(seconds / size), unit)
  }
  return formats.value.relative.format(0, 'minute')
}

/** Whether two times fall on one day here. */
export function sameDay (a: number | Date, b: number | Date): boolean {
  // The longest day has 25 hours, and no two days so near have the same number.
  return Math.abs(Number(a) - Number(b)) < dayMs * 25 / 24 && new Date(a).getDate() === new Date(b).getDate()
}

/** Days from one calendar day here to another. */
function daysBetween (from: Date, to: Date): number {
  const midnight = (date: Date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate())
  return Math.round((midnight(to) - midnight(from)) / dayMs)
}

/** Bytes in the largest fitting unit: 38 MB. */
export function size (bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1_000))))
  const unit = units[step] ?? 'byte'
  return new Intl.NumberFormat(language.value, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: 0
  }).format(bytes / 1_000 ** step)
}
