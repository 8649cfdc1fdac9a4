import { Core } from '../../src/core.ts'
import { ConversationView } from '../../src/api/conversation.ts'
import { MemberLists } from '../../src/api/members.ts'
import { TypingState } from '../../src/api/typing.ts'
import { Engine } from '../../src/engine/engine.ts'
import { Sender } from '../../src/engine/sender.ts'
import { Syncer } from '../../src/engine/syncer.ts'
import { TidelogError } from '../../src/errors.ts'
import { applyHistory } from '../../src/pure/apply.ts'
import { type LiveEvent, toChange, toHistory } from '../../src/pure/normalize.ts'
import { plan } from '../../src/pure/outbox.ts'
import type { Row } from '../../src/pure/state.ts'
import { Value } from '../../src/readable.ts'
import { type Held, applyBatch, loadHeld, nothingHeld, rowsHeld } from '../../src/storage/apply-batch.ts'
import type { AccountStorage } from '../../src/storage/storage.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { Server, hall, me, other, room } from './server.ts'
import type { Mutation, Spec, Step } from './spec.ts'

const places = [room, hall]

interface Call { run: () => unknown, resolve: (value: never) => void, reject: (error: unknown) => void, life: number, answer?: unknown }

/** One random history of a client: its engine, sync and outbox are the real ones, the server and the disk are not. */
export class World {
  readonly server = new Server()
  readonly broken: string[] = []
  private readonly spec: Spec
  private readonly mutation: Mutation
  private readonly clock = new FakeClock()
  private readonly held: Held = nothingHeld()
  private engine!: Engine
  private syncer!: Syncer
  private sender!: Sender
  private chats!: Map<string, ConversationView>
  private life = 0
  /** The life of the program that runs; the other one is that of the disk. */
  private running = 0
  private commits = 0
  private isOnline = false
  private wire: LiveEvent[] = []
  private calls: Call[] = []
  private pages: Array<() => Promise<void>> = []
  private readonly written = new Map<string, string[]>()
  private made = 0

  constructor (spec: Spec, mutation: Mutation) {
    this.spec = spec
    this.mutation = mutation
    this.server.onLive = ({ conversationId, rev, change }) => {
      if (this.isOnline) this.wire.push({ conversationId, rev, change: change === null ? null : toChange(change) })
    }
  }

  async run (): Promise<string[]> {
    await this.begin()
    for (const step of [...this.mutation.first ?? [], ...this.spec.steps]) {
      await this.take(step)
      await this.settle()
      this.checkNow()
    }
    await this.rest()
    return this.broken
  }

  private async begin (): Promise<void> {
    const life = ++this.life
    if (life > 1) this.syncer.end()
    this.isOnline = false
    this.wire = []
    this.calls = []
    this.pages = []
    const engine = new Engine(me, this.disk(life), { onFailure: () => {}, onLost: () => {} })
    try {
      await engine.load()
      await engine.lead()
    } catch (error) {
      if (life === this.life) throw error
      return await this.begin()
    }
    this.mutation.bendEngine?.(engine)
    this.engine = engine
    this.running = life
    const random = () => 0.5
    const call = <T>(run: () => T): Promise<T> => new Promise<T>((resolve, reject) => { this.calls.push({ run, resolve: resolve as Call['resolve'], reject, life }) })
    this.syncer = new Syncer({
      engine,
      clock: this.clock,
      random,
      pull: body => call(() => this.server.sync(body, this.spec.limit)),
      onFailure: () => { if (life === this.life) this.disconnect() }
    })
    this.mutation.bendSyncer?.(this.syncer)
    this.sender = new Sender({
      engine,
      clock: this.clock,
      random,
      isOnline: () => this.isOnline && life === this.life,
      push: operations => call(() => this.server.push(operations)),
      onChanges: events => { this.syncer.hear(events) },
      bring: async scope => {
        this.syncer.mustSync(scope)
        await this.syncer.settled()
      }
    })
    const core = new Core({ http: undefined as never, clock: this.clock, random: () => this.made++ / 1e6 % 1 })
    core.engine = engine
    const parts = { core, members: new MemberLists(core, () => undefined as never), typing: new TypingState(core), summaryOf: () => new Value(undefined) }
    core.remote = { ...core.remote, wake: () => { this.sender.wake() }, markedRead: (id, seq) => this.markedRead(engine, id, seq) }
    this.chats = new Map(places.map(id => [id, new ConversationView(id, parts)]))
  }

  private async markedRead (engine: Engine, id: string, seq: number): Promise<void> {
    await engine.write(async () => {
      const patch = engine.patch()
      patch.change(id, () => ({ localReadSeq: seq }))
      patch.recount.add(id)
      await engine.commitPatch(patch)
    })
  }

  /** A disk that outlives the program; at one commit the program dies. */
  private disk (life: number): AccountStorage {
    const alive = () => { if (life !== this.life) throw new Error('The program has ended') }
    return {
      load: async () => structuredClone(loadHeld(this.held)),
      rows: async (id, from, to, limit) => rowsHeld(this.held, id, from, to, limit),
      count: async () => 0,
      commit: async batch => {
        alive()
        if (++this.commits === this.spec.diesAt) {
          this.life++
          throw new Error('The program dies')
        }
        return applyBatch(this.held, this.mutation.bendBatch?.(batch) ?? batch)
      },
      takeOver: async () => ++this.held.term,
      clear: async () => {},
      close: () => {}
    }
  }

  private async settle (): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    if (this.life !== this.running) await this.begin()
  }

  private disconnect (): void {
    this.isOnline = false
    this.wire = []
    this.syncer.end()
    for (const { reject } of this.calls.splice(0)) reject(new TidelogError({ code: 'OFFLINE' }))
  }

  private connect (): void {
    if (this.isOnline) return
    this.isOnline = true
    this.syncer.begin(this.server.heads()).catch(() => {})
    this.sender.reset()
  }

  private beat (): void {
    if (this.isOnline) this.syncer.hearHeads(Object.fromEntries(Object.entries(this.server.heads()).map(([id, { rev }]) => [id, rev])))
  }

  private answer (isLost: boolean): void {
    const call = this.calls.shift()
    if (call === undefined) return
    const answer = call.run()
    if (isLost) call.reject(new TidelogError({ code: 'TIMEOUT' }))
    else call.resolve(structuredClone(answer) as never)
  }

  private async take (step: Step): Promise<void> {
    const { server } = this
    switch (step.type) {
      case 'kick': return server.setMember(false)
      case 'return': return server.setMember(true)
      case 'restore':
        server.restore()
        return this.disconnect()
      case 'disconnect': return this.disconnect()
      case 'connect': return this.connect()
      case 'crash': return await this.begin()
      case 'tick': return this.clock.advance(1_000)
      case 'jump': return this.clock.jump(step.ms)
      case 'beat':
        this.beat()
        break
      case 'deliver': return this.deliver(step.order, step.fate)
      case 'answer': return this.answer(step.isLost)
      case 'page': return await this.page(places[step.place]!, step.isLate)
      case 'say':
      case 'edit':
      case 'delete':
      case 'purge':
      case 'hidden':
      case 'read': return this.serverStep(step)
      case 'send':
      case 'change':
      case 'undo':
      case 'mark': return await this.ownStep(step)
    }
  }

  private serverStep ({ type, place, pick }: { type: string, place: number, pick: number }): void {
    const { server } = this
    const id = places[place]!
    const messages = server.visible(id)
    const target = messages.at(-1 - pick % Math.max(1, messages.length))
    if (type === 'say') server.say(id, other, `other ${this.made++}`)
    if (type === 'hidden') server.hidden(id)
    if (target === undefined) return
    if (type === 'edit') server.change(id, target._id, { message: `edited ${this.made++}` })
    else if (type === 'delete') server.change(id, target._id, { isDeleted: true, message: '' })
    else if (type === 'purge') server.purge(id, target.seq - 2)
    else server.read(id, target.seq)
  }

  private async ownStep ({ type, place, pick }: { type: string, place: number, pick: number }): Promise<void> {
    const id = places[place]!
    const chat = this.chats.get(id)!
    const { engine, life } = this
    const operations = engine.operationsOf(id).filter(({ work }) => work.type === 'send')
    const operation = operations[pick % Math.max(1, operations.length)]
    try {
      if (type === 'send') {
        const clientMessageId = `own ${this.made++}`
        await chat.send(clientMessageId, { clientMessageId })
        this.written.set(id, [...this.written.get(id) ?? [], clientMessageId])
      } else if (type === 'mark') await chat.markRead()
      else if (operation?.work.type === 'send') {
        const message = { isOwn: true, clientMessageId: operation.work.clientMessageId } as Parameters<ConversationView['edit']>[0]
        if (type === 'change') await chat.edit(message, `changed ${this.made++}`)
        else {
          await chat.delete(message)
          const { clientMessageId } = operation.work
          this.written.set(id, (this.written.get(id) ?? []).filter(written => written !== clientMessageId))
        }
      }
    } catch (error) {
      if (life === this.life) throw error
    }
  }

  private deliver (order: number, fate: 'once' | 'twice' | 'never'): void {
    const [event] = this.wire.splice(order % Math.max(1, this.wire.length), 1)
    if (event === undefined || fate === 'never') return
    const bent = this.mutation.bendEvent?.(event) ?? event
    this.syncer.hear(fate === 'twice' ? [bent, bent] : [bent])
  }

  private async page (id: string, isLate: boolean): Promise<void> {
    const { engine } = this
    if (!isLate && this.pages.length > 0) return await this.takePages()
    const record = engine.conversations.get(id)
    if (record === undefined || !this.server.isMine(id)) return
    const before = record.ranges[0]?.[0] ?? record.top + 1
    const page = structuredClone(this.server.history(id, before, 2))
    const { generation } = record
    this.pages.push(async () => {
      await engine.write(async () => {
        const patch = engine.patch()
        const now = this.mutation.takesOldPages === true ? patch.get(id)?.generation ?? '' : generation
        if (applyHistory(patch, id, toHistory(page), { before, generation: now })) await engine.commitPatch(patch)
      }).catch(() => {})
    })
    if (!isLate) await this.takePages()
  }

  private async takePages (): Promise<void> {
    for (const take of this.pages.splice(0)) await take()
  }

  /** C3, at every moment: within what is shown there is no hole. */
  private checkNow (): void {
    for (const [id, { ranges, rev }] of this.engine.conversations) {
      if (!this.server.isMine(id) || !this.isSame(id)) continue
      for (const message of this.server.visible(id)) {
        if (message.rev > rev || !ranges.some(([from, to]) => from <= message.seq && message.seq <= to)) continue
        const row = this.held.rows.get(id)?.get(message.seq)
        if (row === undefined || row.rev < message.rev) this.broken.push(`C3: ${id} shows a hole at ${message.seq}`)
      }
    }
  }

  /** It follows the log that is there now. */
  private isSame (id: string): boolean {
    const [era, stay] = (this.engine.conversations.get(id)?.cursor ?? '').split(':').map(Number)
    return era === this.server.era && stay === (id === room ? this.server.stays : 0)
  }

  /** Nothing goes wrong any more: all must come to rest. */
  private async rest (): Promise<void> {
    this.spec.diesAt = Infinity
    for (let round = 0; round < 400; round++) {
      this.connect()
      if (this.wire.length > 0) this.deliver(0, 'once')
      else if (this.calls.length > 0) this.answer(false)
      else if (round % 10 === 9) this.clock.advance(61_000)
      else if (round % 10 === 4) this.beat()
      await this.settle()
      if (round > 20 && this.isAtRest()) break
    }
    this.checkRest()
  }

  private isAtRest (): boolean {
    return this.calls.length === 0 && this.wire.length === 0 && plan(this.engine.operations, Infinity).length === 0 &&
      Object.entries(this.server.heads()).every(([id, { rev }]) => id === 'self' ? this.engine.self.rev === rev : this.engine.conversations.get(id)?.rev === rev)
  }

  private checkRest (): void {
    const { server, engine, broken } = this
    for (const id of places) {
      const record = engine.conversations.get(id)
      if (!server.isMine(id)) {
        if (record !== undefined || (this.held.rows.get(id)?.size ?? 0) > 0) broken.push(`C6: something of ${id} is kept`)
        continue
      }
      const messages = server.visible(id)
      const top = messages.at(-1)
      if (top !== undefined && record?.ranges.some(([from, to]) => from <= top.seq && top.seq <= to) !== true) broken.push(`C1: the newest message of ${id} is not shown`)
      for (const { seq, rev, message } of messages) {
        if (record?.ranges.some(([from, to]) => from <= seq && seq <= to) !== true) continue
        const row: Row | undefined = this.held.rows.get(id)?.get(seq)
        if (row?.rev !== rev || row.text !== message) broken.push(`C1: message ${seq} of ${id} differs`)
      }
      for (const seq of this.held.rows.get(id)?.keys() ?? []) if (!messages.some(message => message.seq === seq)) broken.push(`C4: message ${seq} of ${id} is gone, and kept`)
      if (record !== undefined && record.unreadCount !== server.unread(id)) broken.push(`C7: ${record.unreadCount} unread in ${id}, not ${server.unread(id)}`)
      this.checkOwn(id)
    }
  }

  /** C2: what was written here is there, once, in order; what was taken back before it was sent is not. */
  private checkOwn (id: string): void {
    const sent = this.server.messages(id).filter(({ user }) => user._id === me).map(({ clientMessageId }) => clientMessageId!)
    if (new Set(sent).size !== sent.length) this.broken.push('C2: a message is there twice')
    const failed = new Set(this.engine.operationsOf(id).flatMap(({ work, state }) => work.type === 'send' && state === 'failed' ? work.clientMessageId : []))
    // Who is in the common chat is refused nothing that they send.
    if (id === hall && failed.size > 0) this.broken.push(`C2: ${[...failed].join()} is given up`)
    const { purgedSeq } = this.server.logs.get(id)!
    const expected = (this.written.get(id) ?? []).filter(own => !failed.has(own))
    const lost = expected.filter(own => !sent.includes(own))
    if (lost.length > 0 && purgedSeq === 0 && id === hall) this.broken.push(`C2: ${lost.join()} was never sent`)
    const inOrder = expected.filter(own => sent.includes(own))
    if (sent.filter(own => inOrder.includes(own)).join() !== inOrder.join()) this.broken.push(`C2: sent in another order: ${sent.join()}`)
    for (const operation of plan(this.engine.operations, Infinity)) if (operation.conversationId === id) this.broken.push('C2: the outbox is not empty')
  }
}
