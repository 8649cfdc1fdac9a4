// `npm run bench:nodes [-- --seconds 20]`: three compiled nodes on one Redis and one database. Measures how late live
// events are on the sender's node and on another one, and what a message costs a node that serves nobody of its
// conversation; sets two nodes against one under the same load; then restarts all nodes one after the other under load,
// and measures the worst second. `--only idle`, `--only two` or `--only restart` does one of that.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBenchCluster } from './lib/cluster.ts'
import { compare } from './lib/compare.ts'
import { countsOf, cpuOf } from './lib/cpu.ts'
import { DirectLoad } from './lib/direct-load.ts'
import { measureIdleNode } from './lib/idle-node.ts'
import { provenance } from './lib/machine.ts'
import { NodesLoad } from './lib/nodes-load.ts'
import { rollingRestart } from './lib/rolling-restart.ts'
import { latencyOf } from './lib/statistics.ts'
import { table } from './lib/table.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' }, rate: { type: 'string', default: '100' }, only: { type: 'string' }
  }
})
const [seconds, rate] = [Number(values.seconds), Number(values.rate)]
const pairs = 20
const wanderers = 300
const { commit, machine, date, loadBefore } = provenance('bench:nodes')
console.log(`${commit}, ${machine}, load average ${loadBefore}, ${date}\n`)

const folder = mkdtempSync(join(tmpdir(), 'tidelog-nodes-'))
// Those of the load across nodes, those that wander, and two groups that are spread over nodes.
const users = 4 * pairs + wanderers + 2
const spreadPairs = 50
const cluster = await startBenchCluster(folder, 3, users + 4 * spreadPairs)
type Node = typeof cluster.nodes[number]
const [here, there, idle] = cluster.nodes as [Node, Node, Node]
const parts = { delivery: measureDelivery, idle: measureIdle, two: measureTwoNodes, restart: measureRestart }
for (const [name, measure] of Object.entries(parts)) if ((values.only ?? name) === name) await measure()
await cluster.stop()
rmSync(folder, { recursive: true })
process.exit(0)

async function measureDelivery (): Promise<void> {
  const local = await NodesLoad.open(here.url, here.url, pairs, 0)
  const across = await NodesLoad.open(here.url, there.url, pairs, 2 * pairs)
  await Promise.all([local, across].map(async load => { await load.paced(rate / 2, 3) }))
  const pids: Record<string, number> = {
    'the sender\'s node': here.pid,
    'the receiver\'s node': there.pid,
    Redis: cluster.redisPid,
    'the engine': cluster.databasePid
  }
  const quiet = await cpuWhile(pids, async () => { await delay(seconds * 500) })
  let results: Array<Awaited<ReturnType<NodesLoad['paced']>>> = []
  const busy = await cpuWhile(pids, async () => {
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
}

/** A message costs a node that serves nobody of its conversation as good as nothing. */
async function measureIdle (): Promise<void> {
  const load = await DirectLoad.openSpread([here.url, there.url], spreadPairs, users)
  await load.closedLoop(4, 2)
  const found = await measureIdleNode(idle.url, load, seconds * 2)
  load.close()
  console.log(`\nA node that serves nobody of ${found.messages} direct messages between two others:\n`)
  console.log(`- CPU of a message, idle time subtracted: ${found.micros.toFixed(1)} µs`)
  const { quietMicrosPerSecond: quiet, busyMicrosPerSecond: busy } = found
  console.log(`- CPU a second without messages ${quiet.toFixed(0)} µs, with them ${busy.toFixed(0)} µs`)
  console.log(`- words heard of other nodes: ${found.wordsHeard}`)
}

async function measureTwoNodes (): Promise<void> {
  const one = await DirectLoad.openSpread([here.url], spreadPairs, users)
  const two = await DirectLoad.openSpread([here.url, there.url], spreadPairs, users + 2 * spreadPairs)
  type Run = (load: DirectLoad, seconds: number) => ReturnType<DirectLoad['paced']>
  const contestant = (name: string, urls: readonly string[], load: DirectLoad, run: Run) => ({
    name,
    pid: here.pid,
    run: async (seconds: number) => {
      const before = await Promise.all(urls.map(countsOf))
      const result = await run(load, seconds)
      const after = await Promise.all(urls.map(countsOf))
      const all = after.reduce((sum, { cpuMicros }, index) => sum + cpuMicros - before[index]!.cpuMicros, 0)
      return { ...result, cpu: { all, main: all / urls.length } }
    }
  })
  const contestants = (run: Run) => [
    contestant('two nodes', [here.url, there.url], two, run), contestant('one node', [here.url], one, run)
  ]
  const pace = { rounds: 5, seconds: seconds / 5, warmUpSeconds: 2 }
  const closed = contestants(async (load, seconds) => await load.closedLoop(4, seconds))
  const paced = contestants(async (load, seconds) => await load.paced(rate, seconds))
  console.log('\nCPU: of all nodes together, and (in parentheses) of each.\n')
  console.log(table(await compare(`Direct messages of ${spreadPairs} pairs, window 4`, 'messages', closed, pace)))
  console.log(table(await compare(`Direct messages, ${rate} a second`, 'messages', paced, pace)))
  for (const load of [one, two]) load.close()
}

async function measureRestart (): Promise<void> {
  console.log(`\nAll nodes are restarted one after the other, with ${wanderers} sockets and 20 messages a second:\n`)
  const restarted = await rollingRestart(cluster, 4 * pairs, wanderers)
  for (const [name, value] of Object.entries(restarted)) console.log(`- ${name}: ${value}`)
}

/** CPU seconds a second of each process while something is done. */
async function cpuWhile (
  pids: Readonly<Record<string, number>>, work: () => Promise<void>
): Promise<Record<string, number>> {
  const before = Object.entries(pids).map(([name, pid]) => [name, cpuOf(pid).all] as const)
  const start = performance.now()
  await work()
  const took = (performance.now() - start) * 1_000
  return Object.fromEntries(before.map(([name, cpu]) => [name, (cpuOf(pids[name]!).all - cpu) / took]))
}
