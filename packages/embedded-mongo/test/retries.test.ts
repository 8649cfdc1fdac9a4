import t from 'tap'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { randomBytes, randomInt } from 'node:crypto'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Binary, Long } from 'bson'
import type { Document } from 'bson'
import { fromSources } from '../../../test/helpers/process.ts'
import { SESSION_TIMEOUT_MINUTES } from '../src/engine/sessions.ts'
import { int32 } from '../src/values/values.ts'
import type { Doc } from '../src/values/values.ts'
import { command, openEngine, temporaryFolder } from './helpers/engine.ts'
import { WireClient } from './helpers/wire-client.ts'

type Test = Parameters<typeof temporaryFolder>[0]

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url))

/** The engine as a process of its own that can be killed and started again on the same folder and port. */
class Process {
  readonly #dataDir: string
  #child: ChildProcess | undefined
  /** The system gives it to nobody else, so it is free again after a kill. */
  readonly #port = randomInt(11_000, 30_000)
  readonly #wires: WireClient[] = []
  #uri: Promise<string> = Promise.resolve('')

  constructor (t: Test) {
    this.#dataDir = temporaryFolder(t)
    t.teardown(async () => {
      for (const wire of this.#wires) wire.close()
      await this.kill()
    })
  }

  /** Resolves with the address once it listens. */
  async started (): Promise<string> {
    return await this.#uri
  }

  async start (): Promise<void> {
    this.#child = spawn(process.execPath, [...fromSources, CLI, '--data', this.#dataDir, '--port', String(this.#port)], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#uri = once(createInterface({ input: this.#child.stdout! }), 'line').then(([line]) => line as string)
    await this.#uri
  }

  async restart (): Promise<void> {
    const gone = this.kill()
    // Whoever notices waits for the next one.
    this.#uri = gone.then(async () => { await this.start() }).then(() => this.#uri)
    await this.#uri
  }

  async kill (): Promise<void> {
    if (this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }

  /** Replies to commands that come by one connection. */
  async run (...commands: Document[]): Promise<Document[]> {
    const wire = await WireClient.open(await this.#uri)
    const replies: Document[] = []
    for (const command of commands) replies.push(await wire.command(command, 'commitTransaction' in command ? 'admin' : 'test'))
    this.#wires.push(wire)
    return replies
  }
}

async function start (t: Test): Promise<Process> {
  const engine = new Process(t)
  await engine.start()
  return engine
}

const newSession = () => ({ id: new Binary(randomBytes(16), Binary.SUBTYPE_UUID) })

const part = (number: number) => ({ lsid: newSession(), txnNumber: Long.fromNumber(number) })

const found = (reply: Document): Document[] => reply.cursor.firstBatch

t.test('a retryable write that is sent again after kill -9 is not repeated and gets the same answer', async t => {
  const engine = await start(t)
  const commands = [
    { update: 'items', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }, { q: { _id: 2 }, u: { $inc: { n: 1 } }, upsert: true }], ...part(7) },
    { findAndModify: 'items', query: { _id: 1 }, update: { $inc: { m: 1 } }, new: true, ...part(1) }
  ]
  await engine.run({ insert: 'items', documents: [{ _id: 1, n: 0, m: 0 }] })
  const first = await engine.run(...commands)
  t.same(first.map(({ ok }) => ok), [1, 1])
  await engine.restart()
  t.same(await engine.run(...commands), first)
  t.same(found((await engine.run({ find: 'items' }))[0]!), [{ _id: 1, n: 1, m: 1 }, { _id: 2, n: 1 }])
})

t.test('a retry after kill -9 runs only the statements that did not run before', async t => {
  const engine = await start(t)
  const session = part(1)
  const inserts = (ids: number[]) => ({ insert: 'items', documents: ids.map(_id => ({ _id })), ...session })
  const all = Array.from({ length: 300 }, (_, i) => i)
  // In parts, so that several records are kept of them.
  await engine.run(inserts(all.slice(0, 50)), inserts(all.slice(0, 150)))
  await engine.restart()
  t.match(await engine.run(inserts(all), { count: 'items' }), [{ ok: 1, n: 300, writeErrors: undefined }, { n: 300 }])
})

t.test('a commit that is sent again after kill -9 succeeds once; an open transaction is lost', async t => {
  const engine = await start(t)
  const [committed, open] = [part(3), part(3)]
  const insert = (_id: number, session: Document) => ({ insert: 'items', documents: [{ _id }], ...session, autocommit: false, startTransaction: true })
  const commit = (session: Document) => ({ commitTransaction: 1, ...session, autocommit: false })
  await engine.run({ create: 'items' }, insert(1, committed), commit(committed), insert(2, open))
  await engine.restart()
  t.match(await engine.run(commit(committed), commit(open)), [{ ok: 1 }, { ok: 0, code: 251, errorLabels: ['TransientTransactionError'] }])
  t.same(found((await engine.run({ find: 'items' }))[0]!), [{ _id: 1 }])
})

t.test('an old transaction number of a session is still refused after kill -9', async t => {
  const engine = await start(t)
  const session = part(5)
  const insert = (_id: number, number: number) => ({ insert: 'items', documents: [{ _id }], ...session, txnNumber: Long.fromNumber(number) })
  await engine.run(insert(1, 5))
  await engine.restart()
  t.match(await engine.run(insert(2, 4), insert(3, 6)), [{ ok: 0, code: 225 }, { ok: 1 }])
})

/** Increments until it is told to stop; whenever its connection breaks, sends the same again to the next process. */
async function incrementOn (engine: Process, _id: number, acknowledged: () => void, stop: AbortSignal): Promise<number> {
  const session = part(0)
  let wire = await WireClient.open(await engine.started())
  let n = 0
  while (!stop.aborted) {
    const update = { update: 'counters', updates: [{ q: { _id }, u: { $inc: { n: 1 } }, upsert: true }], ...session, txnNumber: Long.fromNumber(++n) }
    for (let reply; reply?.ok !== 1;) {
      reply = await wire.command(update).catch(() => undefined)
      if (reply === undefined) wire = await engine.started().then(uri => WireClient.open(uri))
    }
    acknowledged()
  }
  wire.close()
  return n
}

t.test('while the engine is killed again and again, a counter equals its answers', async t => {
  const engine = await start(t)
  const outcomes = new EventEmitter()
  const stop = new AbortController()
  const workers = Array.from({ length: 24 }, (_, i) => incrementOn(engine, i, () => outcomes.emit('acknowledged'), stop.signal))
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 200; i++) await once(outcomes, 'acknowledged')
    await engine.restart()
  }
  stop.abort()
  const counts = await Promise.all(workers)
  const [reply] = await engine.run({ find: 'counters', sort: { _id: 1 } })
  t.same(found(reply!).map(({ n }) => n), counts)
})

t.test('the records of a session are deleted when it has expired, and not before', async t => {
  const engine = openEngine(t)
  const increment = { update: 'items', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } }, upsert: true }], ...part(1) }
  const retryAt = async (nowMs: number): Promise<unknown> => {
    engine.sessions.sweep(nowMs)
    await engine.sessions.removeExpired(nowMs)
    await command(engine, increment)
    const removed = await command(engine, { findAndModify: 'items', query: { _id: 1 }, update: { $inc: { n: 0 } } })
    return (removed.get('value') as Doc).get('n')
  }
  const expiryMs = Date.now() + SESSION_TIMEOUT_MINUTES * 60_000
  await command(engine, increment)
  // In memory it is forgotten, as by a start.
  engine.sessions.sweep(expiryMs + 1_000)
  t.same(await retryAt(expiryMs - 1_000), int32(1))
  t.same(await retryAt(expiryMs + 1_000), int32(2))
})
