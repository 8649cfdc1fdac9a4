// `npm run bench:nodes [-- --seconds 20]`: three compiled nodes on one Redis and one database. Measures how late live
// events are on the sender's node and on another one, and what a message costs a node that serves nobody of its
// conversation; then restarts all nodes one after the other under load, and measures the worst second.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBenchCluster } from './lib/cluster.ts'
import { cpuOf } from './lib/cpu.ts'
import { provenance } from './lib/machine.ts'
import { NodesLoad } from './lib/nodes-load.ts'
import { rollingRestart } from './lib/rolling-restart.ts'
import { latencyOf } from './lib/statistics.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, rate: { type: 'string', default: '100' } }
})
const [seconds, rate] = [Number(values.seconds), Number(values.rate)]
const pairs = 20
const wanderers = 300
const { commit, machine, date, loadBefore } = provenance([])
console.log(`${commit}, ${machine}, load average ${loadBefore}, ${date}\n`)

const folder = mkdtempSync(join(tmpdir(), 'tidelog-nodes-'))
const cluster = await startBenchCluster(folder, 3, 4 * pairs + wanderers + 2)
const [here, there, idle] = cluster.nodes as [typeof cluster.nodes[0], typeof cluster.nodes[0], typeof cluster.nodes[0]]
const local = await NodesLoad.open(here.url, here.url, pairs, 0)
const across = await NodesLoad.open(here.url, there.url, pairs, 2 * pairs)
await Promise.all([local, across].map(async load => { await load.paced(rate / 2, 3) }))

const pids: Record<string, number> = {
  'the sender\'s node': here.pid,
  'the receiver\'s node': there.pid,
  'a node that serves nobody of it': idle.pid,
  Redis: cluster.redisPid,
  'the engine': cluster.databasePid
}
const quiet = await cpuWhile(async () => { await delay(seconds * 500) })
let results: Array<Awaited<ReturnType<NodesLoad['paced']>>> = []
const busy = await cpuWhile(async () => {
  // Both at the same time, so that other work of the machine affects them alike.
  results = await Promise.all([local, across].map(async load => await load.paced(rate / 2, seconds)))
})
const messages = results.reduce((sum, { operations }) => sum + operations, 0)
console.log(`${messages} direct messages, ${rate} a second, half of them to a user on another node:\n`)
console.log('| delivery | p50 ms | p99 ms | behind the acknowledgement: p50 ms | p99 ms |')
console.log('| --- | ---: | ---: | ---: | ---: |')
for (const [index, name] of ['on the same node', 'on another node'].entries()) {
  const { delivery, behind } = results[index]!
  const cells = [latencyOf(delivery), latencyOf(behind)].flatMap(({ p50, p99 }) => [p50, p99])
  console.log(`| ${name} | ${cells.map(value => value.toFixed(1)).join(' | ')} |`)
}
console.log('\n| CPU of a message, idle time subtracted | µs |\n| --- | ---: |')
for (const name of Object.keys(pids)) {
  console.log(`| ${name} | ${((busy[name]! - quiet[name]!) * 1e6 / rate).toFixed(0)} |`)
}
for (const load of [local, across]) load.close()

console.log(`\nAll nodes are restarted one after the other, with ${wanderers} sockets and 20 messages a second:\n`)
const restarted = await rollingRestart(cluster, 4 * pairs, wanderers)
for (const [name, value] of Object.entries(restarted)) console.log(`- ${name}: ${value}`)
await cluster.stop()
rmSync(folder, { recursive: true })
process.exit(0)

/** CPU seconds a second of each process while something is done. */
async function cpuWhile (work: () => Promise<void>): Promise<Record<string, number>> {
  const before = Object.entries(pids).map(([name, pid]) => [name, cpuOf(pid).all] as const)
  const start = performance.now()
  await work()
  const took = (performance.now() - start) * 1_000
  return Object.fromEntries(before.map(([name, cpu]) => [name, (cpuOf(pids[name]!).all - cpu) / took]))
}
