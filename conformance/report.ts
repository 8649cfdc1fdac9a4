/** One broken promise, with the smallest evidence. */
export interface Finding {
  what: string
}

/** The result of a check. */
export interface Checked {
  /** The number of things that were checked. 0: not exercised. */
  looked: number
  /** Why nothing, or not everything, could be checked. */
  unexercised: string[]
  findings: Finding[]
}

export type Verdict = 'held' | 'broken' | 'not exercised'

export interface PromiseReport extends Checked {
  promise: string
  verdict: Verdict
}

/** The contract's promises. `0` holds for every answer. */
export const promises = {
  0: 'Every answer is one',
  1: 'Acknowledged is kept',
  2: 'Retries are free',
  3: 'Sync misses nothing',
  4: 'Order',
  5: 'All devices',
  6: 'Only the entitled',
  7: 'Time'
} as const

export type PromiseNumber = keyof typeof promises

/** The contract's other sections. */
export const sections = {
  tokens: '§2 Tokens and sessions',
  messages: '§3 Messages and their changes',
  blocks: '§3 Blocks',
  rooms: '§3 Rooms and roles',
  typing: '§3 Typing',
  presence: '§3 Presence',
  junk: '§3–4 Bad input',
  limits: '§4 Limits',
  abuse: '§4 Abuse',
  people: '§3 People',
  conversations: '§4 Conversations',
  reads: '§4 Reads and unread counts',
  heads: '§4 Heads',
  polls: '§4 Long polls',
  views: '§4 Views and resets',
  documents: '§4 What it says of itself'
} as const

export type SectionName = keyof typeof sections

/** Adds one era's result to those of the earlier ones. */
export function merge (before: Checked | undefined, checked: Checked): Checked {
  if (before === undefined) return checked
  return {
    looked: before.looked + checked.looked,
    unexercised: [...new Set([...before.unexercised, ...checked.unexercised])],
    findings: [...before.findings, ...checked.findings]
  }
}

export function verdictOf ({ looked, findings }: Checked): Verdict {
  return findings.length > 0 ? 'broken' : looked > 0 ? 'held' : 'not exercised'
}

export function reportOf (checks: ReadonlyMap<PromiseNumber | SectionName, Checked>): PromiseReport[] {
  return [...checks].map(([key, checked]) => ({
    promise: nameOf(key),
    verdict: verdictOf(checked),
    ...checked
  }))
}

function nameOf (key: PromiseNumber | SectionName): string {
  if (typeof key === 'string') return sections[key]
  return key === 0 ? promises[0] : `${key}. ${promises[key]}`
}

const shownMax = 3

/** One line for each promise, followed by its findings and omissions. */
export function textOf (reports: readonly PromiseReport[]): string {
  return reports.map(({ promise, verdict, looked, findings, unexercised }) => [
    `${promise.padEnd(30)} ${verdict.padEnd(14)} ${verdict === 'not exercised' ? '' : `${looked} checked`}`.trimEnd(),
    ...findings.slice(0, shownMax).map(({ what }) => `   broken: ${what}`),
    ...(findings.length > shownMax ? [`   and ${findings.length - shownMax} more`] : []),
    ...unexercised.map(reason => `   not exercised: ${reason}`)
  ].join('\n')).join('\n')
}
