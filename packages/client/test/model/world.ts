import type { Delta } from '../../src/engine/engine.ts'
import { TidelogError } from '../../src/errors.ts'
import type { Request } from '../../src/network/http.ts'
import type { Conversation, Message } from '../../src/types.ts'
import { toChange } from '../../src/pure/changes.ts'
import { plan } from '../../src/pure/push.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { type Written, brokenAtRest, brokenNow, differing } from './checks.ts'
import { Disk } from './disk.ts'
import { Server, other, places } from './server.ts'
import type { Mutation, Spec, Step } from './spec.ts'
import { Tab } from './tab.ts'

type ServerStep = Exclude<Extract<Step, { place: number, pick: number }>, OwnStep>
type OwnStep = Exclude<Extract<Step, { tab: number, place: number, pick: number }>, { type: 'look' }>
type Delivery = Extract<Step, { order: number }>

/** One random history of a client of one or two tabs, a server and a disk. */
export class World {
  private readonly spec: Spec
  private readonly mutation: Mutation
  private readonly server: Server
  private readonly disk: Disk
  private readonly clock = new FakeClock()
  private readonly tabs: Tab[] = []
  private readonly broken = new Set<string>()
  private written: Written[] = []
  /** What was deleted here for the user alone. */
  private narrowed: Written[] = []
  private made = 0

  constructor (spec: Spec, mutation: Mutation) {
    this.spec = spec
    this.mutation = mutation
    this.server = new Server(spec.showsAll)
    this.disk = new Disk(spec, mutation.bendBatch)
    this.server.onLive = ({ conversationId, rev, change }) => {
      const event = { conversationId, rev, change: change === null ? null : toChange(change) }
      for (const tab of this.tabs) if (tab.isLive) tab.wire.push(event)
    }
  }

  async run (): Promise<string[]> {
    for (let number = 0; number < this.spec.tabs; number++) this.tabs.push(await this.newTab())
    await this.settle()
    for (const step of [...this.mutation.first ?? [], ...this.spec.steps]) {
      await this.take(step)
      await this.settle()
      this.note(brokenNow(this.checked))
    }
    await this.rest()
    return [...this.broken]
  }

  private async newTab (): Promise<Tab> {
    const tab = new Tab({
      disk: this.disk,
      clock: this.clock,
      random: () => this.made++ / 1e6 % 1,
      mutation: this.mutation,
      server: this.server,
      serve: (path, request) => this.serve(path, request),
      tell: (from, mail) => { this.tell(from, mail) },
      leader: () => this.leading?.leader
    })
    await tab.engine.load()
    this.tell(tab, tab.engine.pending)
    return tab
  }

  private serve (path: string, { body, query = {} }: Request): unknown {
    const { server } = this
    if (path === '/api/sync') return server.sync(body as Parameters<Server['sync']>[0], this.spec.limit)
    if (path === '/api/sync/push') return { results: server.push((body as { operations: object[] }).operations) }
    const id = places[path.startsWith('/api/rooms/') ? 0 : 1]!
    return server.history(id, Number(query['before']), Number(query['limit']))
  }

  private tell (from: Tab, mail: Delta | 'leads'): void {
    for (const tab of this.tabs) if (tab !== from && from.isAlive) tab.mail.push(structuredClone(mail))
  }

  /** The one that the disk lets write. */
  private get leading (): Tab | undefined {
    return this.tabs.find(({ engine, leader }) => leader !== undefined && engine.term === this.disk.held.term)
  }

  private get checked () {
    const { server, disk: { held }, written, narrowed } = this
    return { server, held, written, narrowed, engine: this.leading!.engine }
  }

  private note (broken: readonly string[]): void {
    for (const one of broken) this.broken.add(one)
  }

  /** What began goes on as far as it can. Who died begins anew, and if nobody leads any more, another one does. */
  private async settle (): Promise<void> {
    await turn()
    while (this.tabs.some(({ isAlive }) => !isAlive) || this.leading === undefined) {
      for (const [index, tab] of this.tabs.entries()) {
        if (tab.isAlive) continue
        tab.die()
        this.tabs[index] = await this.newTab()
      }
      const next = this.tabs.find(({ leader }) => leader === undefined) ?? this.tabs[0]!
      if (this.leading === undefined) await this.lead(next)
    }
  }

  /** The one before goes on until it hears of it. */
  private async lead (tab: Tab): Promise<void> {
    try {
      if (tab.leader !== undefined) tab.lost()
      await tab.lead()
    } catch (error) {
      // Refused by the disk: the next one tries.
      if (tab.isAlive && this.disk.isSound) throw error
    }
  }

  private async take (step: Step): Promise<void> {
    const { server } = this
    const tab = 'tab' in step ? this.tabs[step.tab % this.tabs.length]! : this.leading!
    switch (step.type) {
      case 'kick': return server.setMember(false)
      case 'return': return server.setMember(true)
      case 'backUp': return server.backUp()
      case 'restore': return this.restore()
      case 'disconnect': return tab.disconnect()
      case 'connect': return tab.connect(server.heads())
      case 'crash':
        tab.isAlive = false
        return
      case 'lead': return await this.lead(tab)
      case 'mail': return tab.readMail()
      case 'late':
        for (const come of tab.late.splice(0)) come()
        return
      case 'tick': return this.clock.advance(1_000)
      case 'jump': return this.clock.jump(step.ms)
      case 'beat': return this.beat()
      case 'deliver': return this.deliver(tab, step)
      case 'answer': return tab.answer(step.fate)
      case 'page': return this.page(tab, places[step.place]!)
      case 'poll': return tab.poll()
      case 'ask':
        if (step.what === 'join') this.server.setMember(true)
        return tab.ask(step.what)
      case 'look': return tab.app.look(step.place, step.pick)
      case 'say':
      case 'edit':
      case 'delete':
      case 'purge':
      case 'pin':
      case 'hidden':
      case 'read':
      case 'clear':
      case 'hide': return this.serverStep(step)
      case 'send':
      case 'change':
      case 'undo':
      case 'mark':
      case 'clearHere':
      case 'hideHere': return await this.ownStep(tab, step)
    }
  }

  private restore (): void {
    const sent = (id: string) => new Set(this.server.messages(id).map(({ clientMessageId }) => clientMessageId))
    const before = new Map(places.map(id => [id, sent(id)]))
    this.server.restore()
    // What was answered and is in no backup is gone; this device does not have it any more either.
    const after = new Map(places.map(id => [id, sent(id)]))
    this.written = this.written.filter(({ place, id }) => after.get(place)!.has(id) || !before.get(place)!.has(id))
    this.narrowed = []
    for (const tab of this.tabs) tab.disconnect()
  }

  private beat (): void {
    const heads = Object.fromEntries(Object.entries(this.server.heads()).map(([id, { rev }]) => [id, rev]))
    for (const tab of this.tabs) if (tab.isLive) tab.leader!.syncer.hearHeads(heads)
  }

  private serverStep ({ type, place, pick }: ServerStep): void {
    const { server } = this
    const id = places[place]!
    // Others change what you have hidden, too.
    const messages = type === 'edit' || type === 'delete' ? server.messages(id) : server.visible(id)
    const target = messages.at(-1 - pick % Math.max(1, messages.length))
    if (type === 'say') server.say(id, other, `other ${this.made++}`)
    if (type === 'hidden') server.hidden(id)
    if (target === undefined) return
    if (type === 'edit') server.change(id, target._id, { message: `edited ${this.made++}` })
    else if (type === 'delete') server.change(id, target._id, { isDeleted: true, message: '' })
    else if (type === 'purge') server.purge(id, target.seq - 2)
    else if (type === 'pin') server.pin(id, target._id)
    else if (type === 'read') server.read(id, target.seq)
    else if (type === 'clear') server.narrow(id, { clearThroughSeq: target.seq })
    else if (type === 'hide') server.narrow(id, { hideSeqs: [target.seq] })
  }

  private async ownStep (tab: Tab, { type, place, pick }: OwnStep): Promise<void> {
    const id = places[place]!
    const chat = tab.chat(id)
    const operations = tab.engine.operationsOf(id).filter(({ work }) => work.type === 'send')
    const operation = operations[pick % Math.max(1, operations.length)]
    try {
      if (type === 'send') await this.write(tab, id)
      else if (type === 'mark') await chat.markRead()
      else if (type === 'clearHere' || type === 'hideHere') await this.narrow(tab, id, type, pick)
      else if (operation?.work.type === 'send') {
        const { clientMessageId } = operation.work
        const message = { isOwn: true, clientMessageId } as Parameters<Conversation['edit']>[0]
        const written = this.written.find(({ id }) => id === clientMessageId)
        if (operation.state === 'failed' && written !== undefined) written.isAgain = true
        if (type === 'change') await chat.edit(message, `changed ${this.made++}`)
        else {
          this.written = this.written.filter(written => written.id !== clientMessageId)
          await chat.delete(message)
        }
      }
    } catch (error) {
      // What the disk refuses, the user hears of.
      if (tab.isAlive && !(error instanceof TidelogError && error.code === 'STORAGE')) throw error
    }
  }

  private async narrow (tab: Tab, id: string, type: 'clearHere' | 'hideHere', pick: number): Promise<void> {
    // A tab that follows may have heard of less than is stored.
    const { top = 0 } = tab.engine.conversations.get(id) ?? {}
    const rows = (await tab.engine.rows(id, 0, top)).filter(tab.engine.shownIn(id))
    const row = rows.at(-1 - pick % Math.max(1, rows.length))
    if (row === undefined) return
    const chat = tab.chat(id)
    if (type === 'hideHere') await chat.hide([row as unknown as Message])
    else await chat.clear()
    this.narrowed.push({ tab, place: id, id: row.id })
  }

  private async write (tab: Tab, id: string): Promise<void> {
    const clientMessageId = `own ${this.made++}`
    await tab.chat(id).send(clientMessageId, { clientMessageId })
    this.written.push({ tab, place: id, id: clientMessageId })
  }

  private deliver (tab: Tab, { order, fate }: Pick<Delivery, 'order' | 'fate'>): void {
    const [event] = tab.wire.splice(order % Math.max(1, tab.wire.length), 1)
    if (event === undefined || fate === 'never') return
    const bent = this.mutation.bendEvent?.(event) ?? event
    tab.hear(fate === 'twice' ? [bent, bent] : [bent])
  }

  private page ({ engine, leader }: Tab, id: string): void {
    const record = engine.conversations.get(id)
    if (record !== undefined) leader?.remote.loadHistory(id, record.ranges[0]?.[0] ?? record.top + 1, 2).catch(() => {})
  }

  /** Nothing goes wrong any more: all must come to rest. */
  private async rest (): Promise<void> {
    this.disk.isSound = true
    for (let round = 0; round < 400; round++) {
      const tab = this.tabs[round % this.tabs.length]!
      if (tab !== this.leading && tab.leader !== undefined) tab.lost()
      for (const come of tab.late.splice(0)) come()
      while (tab.mail.length > 0) tab.readMail()
      this.spec.endsPolling ? tab.poll() : tab.connect(this.server.heads())
      const isHurried = tab.calls.some(({ waits }) => !waits)
      if (tab.wire.length > 0) this.deliver(tab, { order: 0, fate: 'once' })
      else if (isHurried || (tab.calls.length > 0 && round % 10 < 3)) tab.answer('now')
      else if (round % 10 === 9) this.clock.advance(61_000)
      else if (round % 10 === 4) this.beat()
      await this.settle()
      if (round > 20 && this.isAtRest()) break
    }
    this.note(brokenAtRest(this.checked))
    for (const tab of this.tabs) this.note([...differing(tab.engine, this.disk.held), ...tab.app.broken])
    this.note(this.leading!.app.brokenWindows())
  }

  private isAtRest (): boolean {
    const { engine } = this.leading!
    const isQuiet = this.tabs.every(({ calls, wire, mail, late }) =>
      calls.every(({ waits }) => waits) && wire.length + mail.length + late.length === 0)
    const revOf = (id: string) => (id === 'self' ? engine.self : engine.conversations.get(id))?.rev
    return isQuiet && plan(engine.operations, Infinity).length === 0 &&
      Object.entries(this.server.heads()).every(([id, { rev }]) => revOf(id) === rev)
  }
}

const turn = () => new Promise(resolve => { setImmediate(resolve) })
