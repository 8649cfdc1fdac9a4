import type { PromiseNumber, SectionName } from '../report.ts'

/** A statement of the contract about one call or event, and whether it held. */
export interface Observation {
  under: PromiseNumber | SectionName
  what: string
  held: boolean
  /** What came instead. */
  evidence: string
}

/** The observations of the scenes. */
export class Sheet {
  readonly observations: Observation[] = []
  /** Why something could not be checked, by promise or section. */
  readonly unexercised: Array<{ under: PromiseNumber | SectionName, reason: string }> = []
  private under: PromiseNumber | SectionName = 0
  private readonly onFinding: (finding: Observation) => void

  /** @param onFinding may throw to end the scene */
  constructor (onFinding: (finding: Observation) => void = () => {}) {
    this.onFinding = onFinding
  }

  /** Assigns the next observations to this promise or section. */
  begin (under: PromiseNumber | SectionName): void {
    this.under = under
  }

  that (what: string, held: boolean, evidence: unknown = '', under = this.under): void {
    const observation = { under, what, held, evidence: held ? '' : show(evidence) }
    this.observations.push(observation)
    if (!held) this.onFinding(observation)
  }

  /** Checks that `got` has at least the fields of `wanted`. */
  is (what: string, got: unknown, wanted: unknown, under = this.under): void {
    this.that(what, matches(got, wanted), { wanted, got }, under)
  }

  skip (reason: string, under = this.under): void {
    this.unexercised.push({ under, reason })
  }
}

/**
 * Objects need at least the wanted fields (`undefined`: the field must be missing), lists the same length, and texts
 * match a pattern.
 */
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
