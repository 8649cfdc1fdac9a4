import fc from 'fast-check'
import t from 'tap'
import { found } from './found.ts'
import { histories } from './histories.ts'
import { mutants } from './mutants.ts'
import type { Mutation } from './spec.ts'
import { World } from './world.ts'

/** More for a long run: TIDELOG_RUNS=100000 */
const runs = Number(process.env['TIDELOG_RUNS'] ?? 2_000)
/** Among how many a mutant is looked for, until the first that shows it: some are shown by one in a thousand. */
const lookedAtMax = 50_000

const keepsItsPromises = (mutation: Mutation = {}) => fc.asyncProperty(histories, async history => {
  const broken = await new World(history, mutation).run()
  if (broken.length > 0) throw new Error(broken.join('; '))
})

const title = 'C1 C2 C3 C4 C5 C6 C7 C9: whatever is lost, doubled or late, a client holds what the server holds'

t.test(title, { timeout: 0 }, async t => {
  await fc.assert(keepsItsPromises(), { numRuns: runs, examples: Object.values(found).map(history => [history]) })
  t.pass(`${runs} histories`)
})

for (const [mutant, mutation] of Object.entries(mutants)) {
  t.test(`the check finds that ${mutant}`, { timeout: 0 }, async t => {
    const { failed, seed } = await fc.check(keepsItsPromises(mutation), { numRuns: lookedAtMax, endOnFailure: true })
    t.ok(failed, `${lookedAtMax} histories from seed ${seed}`)
  })
}
