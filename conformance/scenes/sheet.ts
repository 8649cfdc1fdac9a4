import type { PromiseNumber, SectionName } from '../report.ts'

/** Something that the contract says of one call or event, and whether it was so. */
export interface Observation {
  under: PromiseNumber | SectionName
  what: string
  held: boolean
  /** What came instead. */
  evidence: string
}

/** What is written down of the scenes. */
export class Sheet {
  readonly observations: Observation[] = []
  /** Why something could not be looked at, by what it belongs to. */
  readonly unexercised: Array<{ under: PromiseNumber | SectionName, reason: string }> = []
  private under: PromiseNumber | SectionName = 0
  private readonly onFinding: (finding: Observation) => void

  /** @param onFinding may throw to end the scene */
  constructor (onFinding: (finding: Observation) => void = () => {}) {
    this.onFinding = onFinding
  }

  /** What is noted from now on belongs to this. */
  begin (under: PromiseNumber | SectionName): void {
    this.under = under
  }

  that (what: string, held: boolean, evidence: unknown = '', under = this.under): void {
    const observation = { under, what, held, evidence: held ? '' : show(evidence) }
    this.observations.push(observation)
    if (!held) this.onFinding(observation)
  }

  /** `got` has at least what `wanted` has. */
  is (what: string, got: unknown, wanted: unknown, under = this.under): void {
    this.that(what, matches(got, wanted), { wanted, got }, under)
  }

  skip (reason: string, under = this.under): void {
    this.unexercised.push({ under, reason })
  }
}

/** Objects have at least the wanted fields (`undefined`: must not be there), lists are as long, a pattern matches text. */
export function matches (got: unknown, wanted: unknown): boolean {
  if (wanted instanceof RegExp) return typeof got === 'string' && wanted.test(got)
  if (Array.isArray(wanted)) return Array.isArray(got) && got.length === wanted.length && wanted.every((one, index) => matches(got[index], one))
  if (typeof wanted !== 'object' || wanted === null) return Object.is(got, wanted)
  if (typeof got !== 'object' || got === null) return false
  return Object.entries(wanted).every(([key, value]) => matches((got as Record<string, unknown>)[key], value))
}

const evidenceMax = 400

function show (value: unknown): string {
  if (typeof value === 'string') return value.slice(0, evidenceMax)
  const text = JSON.stringify(value, (_, part: unknown) => part instanceof RegExp ? String(part) : part === undefined ? null : part) ?? ''
  return text.length > evidenceMax ? `${text.slice(0, evidenceMax)} …` : text
}
