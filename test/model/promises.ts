import fc from 'fast-check'
import type { Test } from 'tap'
import { spec } from './arbitrary.ts'
import { type Mutant, runHistory } from './world.ts'

/** The promises hold in any history, of the product or of a mutant of it. */
export function keepsItsPromises (mutation?: Mutant) {
  return fc.asyncProperty(spec, async history => {
    const broken = await runHistory(history, mutation)
    if (broken.length > 0) throw new Error([...new Set(broken)].join('; '))
  })
}

/** Histories among which a mutant is looked for, until the first that shows it: some are shown by one in a thousand. */
const lookedAtMax = 50_000

/** A test for each mutant: the check must find it. */
export function findsEach (t: Test, mutants: Readonly<Record<string, Mutant>>): void {
  for (const [mutant, mutation] of Object.entries(mutants)) {
    t.test(`the check of histories finds that ${mutant}`, { timeout: 0 }, async t => {
      const options = { numRuns: lookedAtMax, endOnFailure: true }
      const { errorInstance, failed, seed } = await fc.check(keepsItsPromises(mutation), options)
      t.ok(failed, `${lookedAtMax} histories from seed ${seed}`)
      t.match(errorInstance, { message: /\w/ })
    })
  }
}
