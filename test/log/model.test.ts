import fc from 'fast-check'
import t from 'tap'
import { spec } from './arbitrary.ts'
import { type Mutant, runHistory } from './history.ts'
import { mutants } from './mutants.ts'

/** More for a long run: TIDELOG_RUNS=100000 npx tap test/log/model.test.ts */
const runs = Number(process.env['TIDELOG_RUNS'] ?? 1_500)

const keepsItsPromises = (mutation?: Mutant) => fc.asyncProperty(spec, async history => {
  const broken = await runHistory(history, mutation)
  if (broken.length > 0) throw new Error([...new Set(broken)].join('; '))
})

t.test('I1 I2 I3 I5 I6: whatever the order, the losses and the crashes, the log keeps its promises', { timeout: 0 }, async t => {
  await fc.assert(keepsItsPromises(), { numRuns: runs })
  t.pass(`${runs} histories`)
})

for (const [mutant, mutation] of Object.entries(mutants)) {
  t.test(`the check on histories finds a log in which ${mutant}`, { timeout: 0 }, async t => {
    const { errorInstance, failed, seed } = await fc.check(keepsItsPromises(mutation), { numRuns: 4_000, endOnFailure: true })
    t.ok(failed, `4,000 histories from seed ${seed} show nothing`)
    t.match(errorInstance, { message: /\w/ })
  })
}
