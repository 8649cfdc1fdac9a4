import type { History } from '../history.ts'
import type { Checked, PromiseNumber, SectionName } from '../report.ts'

/** What the scenes saw of a promise or a section: each observation was so, or is a finding. */
export function checkContract ({ observations, unexercised }: Pick<History, 'observations' | 'unexercised'>, under: PromiseNumber | SectionName): Checked {
  const mine = observations.filter(observation => observation.under === under)
  return {
    looked: mine.length,
    unexercised: unexercised.filter(one => one.under === under).map(({ reason }) => reason),
    findings: mine.filter(({ held }) => !held).map(({ what, evidence }) => ({ what: `${what}, it should be; ${evidence}` }))
  }
}
