import t from 'tap'
import { startFaultyCluster } from '../../conformance/nodes/cluster.ts'
import { controlOf } from '../../conformance/nodes/faults.ts'
import { textOf } from '../../conformance/report.ts'
import { runConformance } from '../../conformance/run.ts'
import { noRedis } from '../helpers/redis.ts'

const title = 'three nodes keep every promise while nodes, Redis, the link and the database fail'
t.test(title, { skip: noRedis }, async t => {
  const { urls, faults } = await startFaultyCluster(t, 3)
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const met: string[] = []
  const reports = await runConformance({
    urls,
    control: controlOf(faults, 800),
    durationMs: 8_000,
    killEveryMs: 1_000,
    scenes: false,
    seed,
    say: line => { met.push(line) }
  })
  t.comment(`seed ${seed}\n${met.join('\n')}\n${textOf(reports)}`)
  t.ok(met.length > 1, 'a fault was met')
  for (const { promise, verdict, findings } of reports) {
    // How late an answer is says nothing while servers start on the same cores.
    const broken = findings.filter(({ what }) => !what.includes('was answered after'))
    t.same(broken.slice(0, 3), [], promise)
    if (!promise.startsWith('§')) t.not(verdict, 'not exercised', promise)
  }
})
