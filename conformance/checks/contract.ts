import type { History } from '../history.ts'
import type { Checked, PromiseNumber, SectionName } from '../report.ts'

/** The scenes' observations for a promise or a section. Each one that failed is a finding. */
export function checkContract ({ observations, unexercised }: Pick<History, 'observations' | 'unexercised'>, under: PromiseNumber | SectionName): Checked {
  const mine = observations.filter(observation => observation.under === under)
  return {
    looked: mine.length,
    unexercised: unexercised.filter(one => one.under === under).map(({ reason }) => reason),
    findings: mine.filter(({ held }) => !held).map(({ what, evidence }) => ({ what: `${what}, it should be; ${evidence}` }))
  }
}
