// `npm run soak -- [--minutes 60] [--sockets 2000] [--messages 20] [--comings 4]`: users come, write and go for so long
// at the compiled server. Prints memory, handles and latency each minute, and judges whether they stay flat. Exits with
// 1 if they do not, or if something failed.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { addUsers, withDatabase } from './lib/database.ts'
import { provenance } from './lib/machine.ts'
import { type Running, startProduct } from './lib/process.ts'
import { SoakLoad } from './lib/soak-load.ts'
import { latencyOf, median } from './lib/statistics.ts'

/** What the server was like in one part of the run. */
interface Sample {
  minute: number
  sockets: number
  /** Memory of its own: the pages of the database's file, which the system may take back, are left out. */
  privateMiB: number
  heapMiB: number
  handles: number
  p50: number
  p99: number
}

/** How much more the last third may need than the second one. */
const limits = { privateMiB: 1.1, heapMiB: 1.15, handles: 1.05, p50: 1.5, p99: 2 }

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    sockets: { type: 'string', default: '2000' },
    messages: { type: 'string', default: '20' },
    comings: { type: 'string', default: '4' }
  }
})
const minutes = Number(values.minutes)
const messages = Number(values.messages)
const [sockets, comings] = [Number(values.sockets), Number(values.comings)]
const pace = { sockets, messages, edits: messages / 5, comings, polls: 50 }
const { commit, machine, date, loadBefore } = provenance('soak')
console.log(`${commit}, ${machine}, load average ${loadBefore}, ${date}\n${JSON.stringify(pace)}\n`)

const folder = mkdtempSync(join(tmpdir(), 'tidelog-soak-'))
const dataDir = join(folder, 'data')
await withDatabase(dataDir, db => addUsers(db, new SoakLoad('', pace).people))
const server = await startProduct(dataDir, { environment: { METRICS_NETWORKS: 'loopback' } })
const load = new SoakLoad(server.url, pace)
await load.start()

const samples: Sample[] = []
const stepMs = Math.min(60_000, minutes * 60_000 / 12)
const columns = [
  'minute', 'sockets', 'private MiB', 'heap MiB', 'handles', 'ack p50 ms', 'p99 ms', 'messages', 'came', 'failures'
]
for (const row of [columns, columns.map(() => '---:')]) console.log(`| ${row.join(' | ')} |`)
const start = performance.now()
while (performance.now() - start < minutes * 60_000) {
  samples.push(await sample(server))
}
load.stop()
await server.stop()
rmSync(folder, { recursive: true })
process.exit(judge() ? 0 : 1)

/** Looks ten times; memory is what it needed least, because between two collections it grows in any case. */
async function sample ({ pid, url }: Running): Promise<Sample> {
  const looks: Array<Pick<Sample, 'privateMiB' | 'heapMiB' | 'handles'>> = []
  for (let look = 0; look < 10; look++) {
    await delay(stepMs / 10)
    const text = await (await fetch(`${url}/metrics`)).text()
    looks.push({
      privateMiB: Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024,
      heapMiB: Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(text)?.[1]) / 2 ** 20,
      handles: readdirSync(`/proc/${pid}/fd`).length
    })
  }
  const least = (name: keyof typeof looks[number]) => Math.min(...looks.map(look => look[name]))
  const { p50, p99 } = latencyOf(load.takeLatencies())
  const result = {
    minute: (performance.now() - start) / 60_000,
    sockets: load.open,
    privateMiB: least('privateMiB'),
    heapMiB: least('heapMiB'),
    handles: least('handles'),
    p50,
    p99
  }
  const failures = [...load.failures.values()].reduce((sum, times) => sum + times, 0)
  const cells = [...Object.values(result), load.counts.messages, load.counts.comings, failures]
  console.log(`| ${cells.map(value => Number.isInteger(value) ? value : value.toFixed(1)).join(' | ')} |`)
  return result
}

/** The first third is warming up: caches fill, and code is compiled. */
function judge (): boolean {
  const third = Math.floor(samples.length / 3)
  console.log(`\n${JSON.stringify(load.counts)}`)
  for (const [text, times] of load.failures) console.log(`failed ${times} times: ${text}`)
  const verdicts = Object.entries(limits).map(([name, limit]) => {
    const of = (some: Sample[]) => median(some.map(sample => sample[name as keyof typeof limits]))
    const [before, after] = [of(samples.slice(third, 2 * third)), of(samples.slice(-third))]
    const isFlat = after <= before * limit
    const verdict = isFlat ? 'flat' : '**grows**'
    console.log(`${name}: ${before.toFixed(1)} in the second third, ${after.toFixed(1)} in the last: ${verdict}`)
    return isFlat
  })
  return verdicts.every(isFlat => isFlat) && load.failures.size === 0
}
