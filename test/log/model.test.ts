import fc from 'fast-check'
import t from 'tap'
import { spec } from './arbitrary.ts'
import { runHistory } from './history.ts'

const runs = Number(process.env['TIDELOG_RUNS'] ?? 1_500)

t.test('whatever the order, the losses and the crashes, the log keeps what it promises', { timeout: 0 }, async t => {
  await fc.assert(fc.asyncProperty(spec, async history => {
    const broken = await runHistory(history)
    if (broken.length > 0) throw new Error([...new Set(broken)].join('; '))
  }), { numRuns: runs })
  t.pass(`${runs} histories`)
})
