/**
 * Processor time of the engine alone, without driver and socket: what an operation costs however busy the machine is.
 * Counts all threads, so LMDB's writer is included.
 * Run: node --import tsx --conditions=@tidelog/source packages/embedded-mongo/bench/cpu.ts [name part]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Binary, Long, serialize } from 'bson'
import type { Document } from 'bson'
import { decode } from '../src/bson/index.ts'
import { dispatch } from '../src/server/dispatch.ts'
import { Engine } from '../src/engine/engine.ts'
import { readRequest, writeReply } from '../src/wire/messages.ts'
import { entry as plainEntry, small } from './data.ts'

const only = process.argv[2] ?? ''

type Scenario = {
  name: string
  inFlight: number
  operations: number
  /** How many units one operation counts as. */
  units: number
  messages: (i: number, session: Session) => Buffer[]
}

class Session {
  readonly lsid: Document
  #number = 0

  constructor (index: number) {
    const id = Buffer.alloc(16)
    id.writeUInt32LE(index, 0)
    this.lsid = { id: new Binary(id, Binary.SUBTYPE_UUID) }
  }

  retryable (): Document {
    return { lsid: this.lsid, txnNumber: Long.fromNumber(++this.#number) }
  }

  /** The messages of a transaction: its statements and its commit. */
  transaction (...statements: Document[]): Buffer[] {
    const part = { ...this.retryable(), autocommit: false }
    const messages = statements.map((body, i) => message({ ...body, ...part, ...(i === 0 ? { startTransaction: true } : {}) }))
    return [...messages, message({ commitTransaction: 1, ...part }, 'admin')]
  }
}

function message (body: Document, database = 'bench'): Buffer {
  const bytes = serialize({ ...body, $db: database })
  const head = Buffer.alloc(21)
  head.writeInt32LE(21 + bytes.length, 0)
  head.writeInt32LE(2013, 12)
  return Buffer.concat([head, bytes])
}

/** An entry with the fields of the log's index by time. */
const entry = (conversationId: string, rev: number): Document =>
  ({ ...plainEntry(conversationId, rev), receiverId: `u${(rev + 1) % 50}`, updatedAt: new Date(rev) })

const revs = new Map<string, number>()

function commit (i: number, session: Session): Buffer[] {
  const moves = Array.from({ length: 50 }, (_, k) => {
    const id = `c${(i * 50 + k) % 1_000}`
    const rev = revs.get(id) ?? 0
    revs.set(id, rev + 2)
    return { id, rev }
  })
  return session.transaction(
    { update: 'conversations', updates: moves.map(({ id, rev }) => ({ q: { _id: id, headRev: rev, clock: rev }, u: { $set: { headRev: rev + 2, clock: rev + 2 } } })) },
    { insert: 'log', documents: moves.flatMap(({ id, rev }) => [entry(id, rev + 1), entry(id, rev + 2)]) })
}

const scenarios: Scenario[] = [
  { name: 'insert of one', inFlight: 32, operations: 20_000, units: 1, messages: (i, session) => [message({ insert: 'inserts', documents: [small(i)], ...session.retryable() })] },
  { name: 'insert of 1,000 (a document)', inFlight: 2, operations: 50, units: 1_000, messages: (_i, session) => [message({ insert: 'many', documents: Array.from({ length: 1_000 }, (_, k) => small(k)), ...session.retryable() })] },
  { name: 'find of one by _id', inFlight: 32, operations: 30_000, units: 1, messages: i => [message({ find: 'points', filter: { _id: i * 7919 % 10_000 }, limit: 1, singleBatch: true })] },
  { name: 'update of one by _id', inFlight: 32, operations: 15_000, units: 1, messages: (i, session) => [message({ update: 'points', updates: [{ q: { _id: i * 7919 % 10_000 }, u: { $set: { n: i } } }], ...session.retryable() })] },
  { name: 'transaction of two inserts', inFlight: 32, operations: 8_000, units: 1, messages: (i, session) => session.transaction({ insert: 'txn', documents: [small(i)] }, { insert: 'txn2', documents: [small(i)] }) },
  { name: 'commit of 50 heads and 100 entries (an entry)', inFlight: 1, operations: 200, units: 100, messages: commit },
  { name: 'find of 100 entries by rev', inFlight: 8, operations: 3_000, units: 1, messages: i => [message({ find: 'log', filter: { conversationId: `f${i % 20}`, rev: { $gt: i * 37 % 900 } }, sort: { rev: 1 }, hint: { conversationId: 1, rev: 1 }, limit: 100, singleBatch: true })] },
  { name: 'find of 100 entries by a partial index', inFlight: 8, operations: 3_000, units: 1, messages: i => [message({ find: 'log', filter: { conversationId: `f${i % 20}`, receiverId: { $exists: true }, updatedAt: { $gt: new Date(i * 37 % 900) } }, sort: { updatedAt: 1 }, hint: 'updated', limit: 100, singleBatch: true })] },
  { name: 'find of 100 heads by $in', inFlight: 8, operations: 3_000, units: 1, messages: i => [message({ find: 'conversations', filter: { _id: { $in: Array.from({ length: 100 }, (_, k) => `c${(i + k * 7) % 1_000}`) } } })] }
]

async function answer (engine: Engine, bytes: Buffer): Promise<Buffer> {
  const request = readRequest(bytes)
  return writeReply(request.requestId, false, await dispatch(engine, request, 1)).subarray(21)
}

async function prepare (engine: Engine): Promise<void> {
  const run = async (body: Document) => {
    const reply = decode(await answer(engine, message(body)))
    if (reply.get('ok') !== 1) throw new Error(String(reply.get('errmsg')))
  }
  await run({
    createIndexes: 'log',
    indexes: [
      { key: { conversationId: 1, rev: 1 }, name: 'rev', unique: true },
      { key: { conversationId: 1, seq: 1 }, name: 'seq', unique: true, partialFilterExpression: { seq: { $exists: true } } },
      { key: { conversationId: 1, senderId: 1, clientMessageId: 1 }, name: 'client', unique: true, partialFilterExpression: { clientMessageId: { $exists: true } } },
      { key: { conversationId: 1, updatedAt: 1 }, name: 'updated', partialFilterExpression: { receiverId: { $exists: true } } }
    ]
  })
  for (const name of ['txn', 'txn2']) await run({ create: name })
  await run({ insert: 'conversations', documents: Array.from({ length: 1_000 }, (_, i) => ({ _id: `c${i}`, headRev: 0, clock: 0, title: `conversation ${i}` })) })
  await run({ insert: 'points', documents: Array.from({ length: 10_000 }, (_, i) => ({ ...small(i), _id: i })) })
  for (let c = 0; c < 20; c++) await run({ insert: 'log', documents: Array.from({ length: 1_000 }, (_, i) => entry(`f${c}`, i + 1)) })
}

async function measure (engine: Engine, scenario: Scenario, sessions: Session[]): Promise<string> {
  const warmUps = Math.ceil(scenario.operations / 4)
  const lanes = Array.from({ length: scenario.inFlight }, (): Buffer[][] => [])
  for (let i = 0; i < warmUps + scenario.operations; i++) {
    const lane = i % scenario.inFlight
    lanes[lane]!.push(scenario.messages(i, sessions[lane]!))
  }
  const run = async (from: number, to: number) => {
    await Promise.all(lanes.map(async lane => {
      for (const messages of lane.slice(from, to)) {
        for (const bytes of messages) {
          const reply = await answer(engine, bytes)
          // A short reply is decoded: it may be an error. A longer one is a page.
          if (reply.length < 300 && decode(reply).get('ok') !== 1) throw new Error(String(decode(reply).get('errmsg')))
        }
      }
    }))
  }
  const warm = Math.ceil(warmUps / scenario.inFlight)
  await run(0, warm)
  const before = process.cpuUsage()
  await run(warm, Infinity)
  const { user, system } = process.cpuUsage(before)
  const us = (user + system) / (scenario.operations * scenario.units)
  return `${scenario.name.padEnd(48)} ${us.toFixed(1).padStart(7)} µs`
}

const folder = mkdtempSync(join(tmpdir(), 'engine-cpu-'))
try {
  console.log(`${cpus()[0]!.model}, Node ${process.version}`)
  const engine = new Engine({ path: join(folder, 'data.mdb'), sync: true })
  await prepare(engine)
  const sessions = Array.from({ length: 32 }, (_, i) => new Session(i))
  for (const scenario of scenarios) if (scenario.name.includes(only)) console.log(await measure(engine, scenario, sessions))
  await engine.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
