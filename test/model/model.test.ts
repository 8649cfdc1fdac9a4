import fc from 'fast-check'
import t from 'tap'
import { found } from './found.ts'
import { keepsItsPromises } from './promises.ts'

/** The number of histories. For a long run: TIDELOG_RUNS=100000 npx tap test/model/model.test.ts */
const runs = Number(process.env['TIDELOG_RUNS'] ?? 1_000)

t.test('I1 I2 I3 I4 I5 I6 I7: after any order, loss and crash, clients hold what is stored and visible to them', { timeout: 0 }, async t => {
  await fc.assert(keepsItsPromises(), { numRuns: runs, examples: Object.values(found).map(history => [history]) })
  t.pass(`${runs} histories`)
})
