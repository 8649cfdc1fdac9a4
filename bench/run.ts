// npm run bench -- [names] [--quick] [--json file] [--profile folder]: runs the benchmarks one after the other, and
// prints their tables as Markdown. Exits with 1 if a message is lost, repeated or out of order, or an answer is wrong.
// A missed target is printed and is no failure, because machines differ.
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { catchUp } from './catch-up.ts'
import { connect } from './connect.ts'
import { direct } from './direct.ts'
import { fanOut } from './fan-out.ts'
import { growth } from './growth.ts'
import { hotRoom } from './hot-room.ts'
import type { Benchmark } from './lib/benchmark.ts'
import type { Comparison } from './lib/compare.ts'
import { provenance } from './lib/machine.ts'
import { header, table } from './lib/table.ts'
import { list } from './list.ts'
import { many } from './many.ts'
import { page } from './page.ts'
import { poll } from './poll.ts'
import { pull } from './pull.ts'
import { search } from './search.ts'
import { status } from './status.ts'

const benchmarks: Record<string, Benchmark> = { direct, 'fan-out': fanOut, 'hot-room': hotRoom, connect, poll, page, status, pull, 'catch-up': catchUp, many, list, search, growth }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, profile: { type: 'string' } }
})
const names = positionals.length > 0 ? positionals : Object.keys(benchmarks)
const unknown = names.filter(name => !Object.hasOwn(benchmarks, name))
if (unknown.length > 0) {
  console.error(`No such benchmark: ${unknown.join(', ')}. There are: ${Object.keys(benchmarks).join(', ')}`)
  process.exit(2)
}

const about = provenance('bench', process.argv.slice(2))
const profileDir = values.profile === undefined ? undefined : resolve(values.profile)
const pace = values.quick
  ? { rounds: 1, seconds: 1, warmUpSeconds: 0.5 }
  : profileDir === undefined ? { rounds: 5, seconds: 2, warmUpSeconds: 1 } : { rounds: 1, seconds: 6, warmUpSeconds: 1 }
const folder = await mkdtemp(join(tmpdir(), 'tidelog-bench-'))
const results: Comparison[] = []
let failed = false
console.log(`${header(about)}\n`)
for (const name of names) {
  try {
    const own = join(folder, name)
    await mkdir(own)
    for await (const result of benchmarks[name]!({ folder: own, pace, quick: values.quick, profileDir })) {
      results.push(result)
      console.log(table(result))
    }
  } catch (error) {
    console.error(`Benchmark ${name} failed:`, error)
    failed = true
  }
}
await rm(folder, { recursive: true, force: true })
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ ...about, results }, null, 2)}\n`)
process.exit(failed ? 1 : 0)
