import { ObjectId } from 'mongodb'
import { type CommitSteps, Committer } from '../../src/log/commit/committer.ts'
import type { Mutation, UnitOutcome, CommitUnit } from '../../src/log/commit/plan.ts'
import { type LogRow, type Member, selfLogId, seqOf } from '../../src/log/model/types.ts'
import { TidelogError } from '../../src/errors.ts'
import { Books } from './books.ts'
import { type FakeOptions, FakeMongo } from './fake-mongo.ts'
import { type EndOfPage, Reader } from './reader.ts'
import { Schedule } from './schedule.ts'

/**
 * One random history of the log: several nodes, each with its own cache of heads, over one database in memory, clients
 * that send and send again, nodes that die, and readers that page through it all meanwhile. `runHistory` returns what was
 * broken of what the log promises.
 */

export type Step =
  | { type: 'send', user: number, node: number, room: boolean, clientId: number | null, body: number, twin: boolean, alsoRead: boolean }
  | { type: 'edit', user: number, node: number, target: number, content: number }
  | { type: 'delete', user: number, node: number, target: number }
  | { type: 'join' | 'leave' | 'invite', user: number, node: number }
  | { type: 'read', user: number, node: number, room: boolean, seq: number }
  | { type: 'block', user: number, node: number, on: boolean }
  | { type: 'rename', user: number, node: number, content: number }
  | { type: 'poison', user: number, node: number }
  | { type: 'crash', node: number }

export interface Spec {
  seed: number
  /** How likely a call to the database is to go wrong. */
  faults: number
  /** How likely a row is to be read as it was a little earlier. */
  lag: number
  /** One node that lets conversations share a transaction, or several that do not. */
  share: boolean
  nodes: number
  batchCountMax: number
  /** What each node's clock is off by, in ms. */
  clocks: number[]
  steps: Step[]
  readers: Array<{ room: boolean, by: 'rev' | 'time', limit: number }>
}

/** What a mutant replaces. */
export interface Mutant {
  steps?: (mongo: FakeMongo, now: () => number) => Partial<CommitSteps>
  endOfPage?: EndOfPage
  without?: FakeOptions['without']
  /** Where it shows soonest: what stays the same in every history. */
  within?: Partial<Spec>
}

const users = ['a', 'b', 'c'].map(letter => new ObjectId(letter.repeat(24)))
const direct = 'dm_a_b'
const room = 'room_x'
export const poison = 'poison'

interface Call {
  node: Node
  connection: string
  unit: CommitUnit
  /** What an edit of this call leaves in a row. */
  mark: string
  /** The end of the conversation when a read was asked for. */
  headSeq: number
  retry: boolean
  outcome?: UnitOutcome
  error?: unknown
}

interface Node {
  name: string
  committer: Committer
  alive: boolean
}

export async function runHistory (spec: Spec, mutant: Mutant = {}): Promise<string[]> {
  return await new History({ ...spec, ...mutant.within }, mutant).run()
}

class History {
  private readonly spec: Spec
  private readonly mutant: Mutant
  private readonly schedule: Schedule
  private readonly books = new Books()
  private readonly mongo: FakeMongo
  private readonly nodes: Node[] = []
  private readonly calls: Call[] = []
  private readonly connections = new Map<string, Promise<void>>()
  private time = 1_700_000_000_000

  constructor (spec: Spec, mutant: Mutant) {
    this.spec = spec
    this.mutant = mutant
    this.schedule = new Schedule(spec.seed)
    this.mongo = new FakeMongo({
      schedule: this.schedule,
      faults: spec.faults,
      lag: spec.lag,
      refuses: doc => doc['message'] === poison,
      without: mutant.without ?? [],
      onApply: writes => { this.books.applied(writes) }
    })
    for (let i = 0; i < (spec.share ? 1 : spec.nodes); i++) this.nodes.push(this.start(i, `n${i}`))
  }

  async run (): Promise<string[]> {
    const { collections } = this.mongo.connect('reader')
    const readers = this.spec.readers.map(({ room: ofRoom, by, limit }) =>
      new Reader(collections, this.schedule, this.books, { conversationId: ofRoom ? room : direct, by: ofRoom ? 'rev' : by, limit, endOfPage: this.mutant.endOfPage }))
    for (const step of this.spec.steps) this.enqueue(step)
    for (const reader of readers) void reader.follow()
    await this.schedule.run()
    // At rest: nothing goes wrong any more, nobody may be left waiting, and every reader catches up.
    this.mongo.options.faults = 0
    this.mongo.options.lag = 0
    const closed = this.nodes.map(node => node.committer.close().then(() => { closedCount++ }))
    let closedCount = 0
    for (const reader of readers) void reader.catchUp()
    await this.schedule.run()
    if (closedCount !== closed.length) this.books.broken.push('a node does not close')
    for (const reader of readers) this.books.checkReader(reader)
    this.books.checkStore(this.mongo)
    this.checkCalls()
    return this.books.broken
  }

  private start (index: number, name: string): Node {
    const { client, collections } = this.mongo.connect(name)
    const now = () => {
      this.time += this.schedule.below(3)
      return this.time + (this.spec.clocks[index] ?? 0) - (this.schedule.chance(0.2) ? this.schedule.below(50) : 0)
    }
    const committer = new Committer(client, collections, {
      isSoleWriter: this.spec.share, batchCountMax: this.spec.batchCountMax, headsMax: 2 + index, now, onCommitted: committed => { this.books.delivered(name, committed) }
    }, { sleep: () => this.schedule.turn(name), ...this.mutant.steps?.(this.mongo, now) })
    return { name, committer, alive: true }
  }

  /** Steps of one connection are issued in order, without waiting for the answers. */
  private enqueue (step: Step): void {
    const connection = step.type === 'crash' ? 'fate' : `${step.node % this.nodes.length} ${step.user}`
    const before = this.connections.get(connection) ?? Promise.resolve()
    this.connections.set(connection, before.then(async () => {
      for (let pause = this.schedule.below(step.type === 'crash' ? 60 : 12); pause >= 0; pause--) await this.schedule.turn('clients')
      this.issue(step, connection)
    }))
  }

  private issue (step: Step, connection: string): void {
    if (step.type === 'crash') return this.crash(step.node % this.nodes.length)
    const node = this.nodes[step.node % this.nodes.length]!
    const unit = this.unitOf(step)
    if (unit === undefined) return
    this.call(node, connection, unit)
    if (step.type === 'send' && step.twin && step.clientId !== null) this.call(this.nodes[(step.node + 1) % this.nodes.length]!, `${connection} twin`, again(unit), 0)
  }

  private crash (index: number): void {
    const node = this.nodes[index]!
    node.alive = false
    this.schedule.kill(node.name)
    this.mongo.orphan(node.name)
    this.nodes[index] = this.start(index, `${node.name}'`)
    for (const call of this.calls) if (call.node === node && call.outcome === undefined && call.error === undefined) this.sendAgain(call, 2)
  }

  private call (node: Node, connection: string, unit: CommitUnit, retries = 2, retry = false): void {
    const headSeq = (this.mongo.read('conversations', direct)?.['headSeq'] ?? 0) as number
    const call: Call = { node, connection, unit, mark: `[${this.calls.length}]`, headSeq, retry }
    this.calls.push(call)
    node.committer.commit(unit).then(
      outcome => { call.outcome = outcome },
      (error: unknown) => {
        call.error = error
        this.sendAgain(call, retries)
      })
  }

  /** What a client does that got no answer, or one to try again: only a client id makes it safe. */
  private sendAgain ({ unit, connection }: Call, retries: number): void {
    const [change] = unit.mutations
    if (retries === 0 || change?.type !== 'append' || change.row.clientMessageId === undefined) return
    void this.schedule.turn('clients').then(() => {
      this.call(this.nodes[this.schedule.below(this.nodes.length)]!, connection, again(unit), retries - 1, true)
    })
  }

  private unitOf (step: Exclude<Step, { type: 'crash' }>): CommitUnit | undefined {
    const userId = users[step.user]!
    switch (step.type) {
      case 'send': return { mutations: sendOf(step, this.calls.length) }
      case 'poison': return { mutations: sendOf({ ...step, room: false, clientId: null, alsoRead: false, message: poison }, this.calls.length) }
      case 'join': return { mutations: [joinOf(userId)] }
      case 'leave': return { mutations: [{ type: 'member', conversationId: room, userId, role: null }] }
      case 'invite': return { mutations: [joinOf(userId), { type: 'read', conversationId: room, userId, seq: seqOf(1_000) }] }
      case 'read': return { mutations: [{ type: 'read', conversationId: step.room ? room : direct, userId, seq: seqOf(step.seq) }] }
      case 'block': return { mutations: [blockOf(userId, users[(step.user + 1) % users.length]!.toHexString(), step.on)] }
      case 'rename': return { mutations: [{ type: 'meta', conversationId: room, decide: () => ({ name: `name ${step.content}` }) }] }
      case 'edit':
      case 'delete': {
        const sent = this.calls.flatMap(({ unit: { mutations: [change] } }) => change?.type === 'append' && change.row.message !== poison ? [change] : [])
        const target = sent[step.target % Math.max(1, sent.length)]
        if (target === undefined) return undefined
        const { conversationId, row: { _id } } = target
        return { mutations: [step.type === 'delete' ? deleteOf(conversationId, _id) : editOf(conversationId, _id, step.content, `[${this.calls.length}]`)] }
      }
    }
  }

  private checkCalls (): void {
    const { broken } = this.books
    const calm = this.spec.faults === 0 && this.spec.lag === 0
    for (const { node, unit, mark, outcome, error, headSeq } of this.calls) {
      const [change] = unit.mutations
      if (outcome === undefined && error === undefined && node.alive) broken.push('a call is never answered')
      if (error !== undefined && calm && !isPoison(unit)) broken.push(`a call fails for no reason: ${String(error)}`)
      if (error !== undefined && !(error instanceof TidelogError && error.retryable)) broken.push(`a call fails with ${String(error)}`)
      if (outcome !== undefined) this.books.checkOutcome(node.name, unit, outcome)
      if (outcome !== undefined && node.alive && this.spec.lag === 0) this.books.checkHeard(unit, mark)
      if (outcome?.outcome === 'unchanged' || outcome?.outcome === 'committed') {
        if (change?.type === 'read' && change.conversationId === direct && outcome.reads[0]!.readSeq < Math.min(change.seq, headSeq)) broken.push('a read position is lost')
      }
    }
    this.checkAtomic()
    this.checkOrder()
  }

  private checkAtomic (): void {
    for (const { unit } of this.calls) {
      const ids = unit.mutations.flatMap(change => change.type === 'append' ? [change.row._id] : [])
      const stored = ids.filter(id => this.mongo.read('log', id.toHexString()) !== null).length
      if (stored > 0 && stored < ids.length) this.books.broken.push('a unit is stored in part')
    }
  }

  /** Promise 4: one sender's messages, in the order in which they were sent over one connection. */
  private checkOrder (): void {
    const last = new Map<string, number>()
    for (const { connection, unit, outcome, retry } of this.calls) {
      const [change] = unit.mutations
      if (retry || change?.type !== 'append' || outcome?.outcome !== 'committed') continue
      const key = `${connection} ${change.conversationId}`
      const { seq } = outcome.rows[0]!
      if (seq! <= (last.get(key) ?? 0)) this.books.broken.push('messages of one connection changed places')
      last.set(key, seq!)
    }
  }
}

function again ({ mutations }: CommitUnit): CommitUnit {
  return { mutations: mutations.map(change => change.type === 'append' ? { ...change, row: { ...change.row, _id: new ObjectId() } } : change) }
}

function isPoison ({ mutations: [change] }: CommitUnit): boolean {
  return change?.type === 'append' && change.row.message === poison
}

function sendOf (
  { user, room: toRoom, clientId, body, alsoRead, message }: { user: number, room: boolean, clientId: number | null, body?: number, alsoRead: boolean, message?: string },
  unique: number
): Mutation[] {
  const sender = users[user]!
  const changes: Mutation[] = [{
    type: 'append',
    conversationId: toRoom ? room : direct,
    row: {
      _id: new ObjectId(),
      kind: 'message',
      senderId: sender,
      message: message ?? `m${unique}`,
      ...(toRoom ? { roomId: 'x' } : { receiverId: users[user === 0 ? 1 : 0]! }),
      ...(clientId === null ? { bodyHash: `unique ${unique}` } : { clientMessageId: `c${clientId}`, bodyHash: `body ${body ?? 0}` })
    },
    ...(toRoom
      ? { requiresMember: sender }
      : { open: { kind: 'direct', members: [{ userId: users[0]!, role: 'member' }, { userId: users[1]!, role: 'member' }] } })
  }]
  if (alsoRead && !toRoom && user < 2) changes.push({ type: 'read', conversationId: direct, userId: sender, seq: seqOf(1_000) })
  return changes
}

function joinOf (userId: ObjectId): Mutation {
  return {
    type: 'member',
    conversationId: room,
    userId,
    role: (member: Member | null, head) => head === null ? 'owner' : member?.role ?? 'member',
    open: { kind: 'room', members: [] }
  }
}

function blockOf (userId: ObjectId, other: string, on: boolean): Mutation {
  return {
    type: 'put',
    conversationId: selfLogId(userId),
    kind: 'block',
    subject: other,
    decide: row => (row?.on ?? false) === on ? null : { about: other, on },
    open: { kind: 'self', members: [] }
  }
}

/** Beside the new content, every edit leaves its mark: one that is lost is seen. */
function editOf (conversationId: string, rowId: ObjectId, content: number, mark: string): Mutation {
  const message = `edited ${content}`
  return {
    type: 'revise',
    conversationId,
    rowId,
    decide: (row: LogRow) => {
      if (row.isDeleted === true) throw new TidelogError('NOT_ALLOWED')
      return row.message === message ? null : { set: { message, listingId: (row.listingId ?? '') + mark } }
    }
  }
}

function deleteOf (conversationId: string, rowId: ObjectId): Mutation {
  return { type: 'revise', conversationId, rowId, decide: row => row.isDeleted === true ? null : { set: { isDeleted: true }, unset: ['message'] } }
}
