import fc from 'fast-check'
import t from 'tap'
import { spec } from './arbitrary.ts'
import { found } from './found.ts'
import { logMutants } from './log-mutants.ts'
import { mutants } from './mutants.ts'
import { type Mutant, runHistory } from './world.ts'

/** The number of histories. For a long run: TIDELOG_RUNS=100000 npx tap test/model/model.test.ts */
const runs = Number(process.env['TIDELOG_RUNS'] ?? 1_000)

const keepsItsPromises = (mutation?: Mutant) => fc.asyncProperty(spec, async history => {
  const broken = await runHistory(history, mutation)
  if (broken.length > 0) throw new Error([...new Set(broken)].join('; '))
})

t.test('I1 I2 I3 I4 I5 I6 I7: whatever the order, the losses and the crashes, clients end up with what is stored and theirs', { timeout: 0 }, async t => {
  await fc.assert(keepsItsPromises(), { numRuns: runs, examples: Object.values(found).map(history => [history]) })
  t.pass(`${runs} histories`)
})

for (const [mutant, mutation] of Object.entries({ ...mutants, ...logMutants })) {
  t.test(`the check on histories finds that ${mutant}`, { timeout: 0 }, async t => {
    const { errorInstance, failed, seed } = await fc.check(keepsItsPromises(mutation), { numRuns: 4_000, endOnFailure: true })
    t.ok(failed, `4,000 histories from seed ${seed} show nothing`)
    t.match(errorInstance, { message: /\w/ })
  })
}
