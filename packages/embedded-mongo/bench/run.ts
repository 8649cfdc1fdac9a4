/**
 * npm run bench:engine -- [parts of names] [--quick] [--profile folder]: prints as one Markdown table what the engine
 * does in a second through the official driver, beside a database a hundred times as large, a server that returns
 * recorded replies, and plain LMDB of both sizes. With `--profile` it runs the engine only. A wrong answer ends the run. A
 * missed target is printed and is no failure, because machines differ.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MongoClient } from 'mongodb'
import { type EmbeddedMongo, startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { provenance } from '../../../bench/lib/machine.ts'
import { header } from '../../../bench/lib/table.ts'
import { type Database, databaseOf, fill } from './data.ts'
import { type Figure, figures } from './figures.ts'
import { EmptyReplies } from './floors/empty-replies.ts'
import { PlainLmdb } from './floors/plain-lmdb.ts'
import { pathOf, recordReplies, uriOf } from './floors/replies.ts'
import { profiled } from './lib/profiler.ts'
import { type Contestant, compare } from './lib/rounds.ts'
import { Table, cellsOf, lineHeads } from './lib/table.ts'
import { threadsOf } from './lib/threads.ts'
import { openings } from './opening.ts'

const { values: { quick, profile }, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, profile: { type: 'string' } }
})
const chosen = figures.filter(({ name }) => positionals.length === 0 || positionals.some(part => name.includes(part)))
const pace = quick
  ? { rounds: 1, seconds: 0.7, warmUpSeconds: 0.5 }
  : profile !== undefined ? { rounds: 1, seconds: 6, warmUpSeconds: 1 } : { rounds: 5, seconds: 2, warmUpSeconds: 1 }
const smallSize = 10_000
const largeSize = quick ? 100_000 : 1_000_000
const openingMsMax = 300
const flatMin = 0.8
/** At least as many connections as any figure has operations in flight. */
const poolSize = 32

interface Side {
  engine: EmbeddedMongo
  database: Database
  threads: string[]
}

async function startSide (dataDir: string, size: number): Promise<Side> {
  const { started: engine, threads } = await threadsOf(() => startEmbeddedMongo({ dataDir }))
  const database = databaseOf(new MongoClient(engine.uri, { maxPoolSize: poolSize }), size)
  await fill(database)
  return { engine, database, threads }
}

async function stopSide ({ engine, database }: Side): Promise<void> {
  await database.client.close()
  await engine.stop()
}

function contestantOf (name: string, { database, threads }: Pick<Side, 'database' | 'threads'>, figure: Figure): Contestant {
  return { name, threads, operate: i => figure.operate(database, i) }
}

async function figuresOf (folder: string): Promise<void> {
  const table = new Table(lineHeads, 54)
  const small = await startSide(join(folder, 'small'), smallSize)
  if (profile !== undefined) {
    mkdirSync(profile, { recursive: true })
    for (const figure of chosen) {
      await profiled(join(profile, figure.name.replaceAll(/\W+/g, '-')), () => print(table, figure, [contestantOf(figure.name, small, figure)]))
    }
    await stopSide(small)
    return
  }
  const large = await startSide(join(folder, 'large'), largeSize)
  const emptyPath = join(folder, 'empty.sock')
  const { started: empty, threads } = await threadsOf(() => EmptyReplies.start(emptyPath))
  const emptySide = { database: databaseOf(new MongoClient(uriOf(emptyPath), { maxPoolSize: poolSize }), smallSize), threads }
  const lmdb = await PlainLmdb.start(folder, smallSize)
  const largeLmdb = await PlainLmdb.start(folder, largeSize)
  for (const figure of chosen) {
    const once = async (uri: string) => {
      const client = new MongoClient(uri)
      await figure.operate(databaseOf(client, smallSize), 0)
      await client.db('admin').command({ hello: 1 }) // The driver's own question every ten seconds.
      await client.close()
    }
    await empty.answerWith(await recordReplies(pathOf(small.engine.uri), join(folder, 'relay.sock'), once))
    await print(table, figure, [
      contestantOf(figure.name, small, figure),
      contestantOf(`… at ${largeSize.toLocaleString('en')} documents`, large, figure),
      contestantOf('… with empty replies', emptySide, figure),
      { name: '… of plain LMDB', threads: [], operate: i => figure.plain(lmdb, i) },
      { name: `… of plain LMDB at ${largeSize.toLocaleString('en')}`, threads: [], operate: i => figure.plain(largeLmdb, i) }
    ])
  }
  await emptySide.database.client.close()
  await empty.stop()
  await lmdb.close()
  await largeLmdb.close()
  await stopSide(small)
  await stopSide(large)
}

async function print (table: Table, { inFlight, units, perSecondMin, share = 1 }: Figure, contestants: Contestant[]): Promise<void> {
  const lines = await compare(contestants, inFlight, units, { rounds: pace.rounds, seconds: pace.seconds * share, warmUpSeconds: pace.warmUpSeconds * share })
  for (const [index, line] of lines.entries()) {
    const target = [verdict('≥ ', perSecondMin, line.perSecond >= (perSecondMin ?? 0)), lines.length > 1 ? verdict('≥ ', flatMin, lines[1]!.ratio <= 1 / flatMin) : ''][index] ?? ''
    table.row(cellsOf(line, target, index === 0))
  }
}

function verdict (sign: string, limit: number | undefined, met: boolean): string {
  return limit === undefined ? '' : `${sign}${limit.toLocaleString('en')}: ${met ? 'met' : '**missed**'}`
}

async function openingsOf (folder: string): Promise<void> {
  const table = new Table(['start on', 'listens after ms', '              target', 'first find after ms'], 40)
  for (const [index, { name, readyMs, answeredMs }] of (await openings(folder, join(folder, 'large'), pace.rounds)).entries()) {
    table.row([name, readyMs.toFixed(0), index === 0 ? verdict('≤ ', openingMsMax, readyMs <= openingMsMax) : '', answeredMs.toFixed(0)])
  }
}

const folder = mkdtempSync(join(tmpdir(), 'engine-bench-'))
try {
  console.log(`${header(provenance('bench:engine', process.argv.slice(2)))}\n`)
  await figuresOf(folder)
  if (profile === undefined && positionals.length === 0) {
    console.log()
    await openingsOf(folder)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
