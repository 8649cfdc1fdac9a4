import { BSON, MongoServerError, type ObjectId } from 'mongodb'
import type { CommittedBatch } from '../../src/log/commit/committer.ts'
import type { CommitUnit } from '../../src/log/commit/plan.ts'
import { deletePurgedRows } from '../../src/log/delete-purged.ts'
import { pull } from '../../src/sync/pull.ts'
import type { Head } from '../../src/log/model/types.ts'
import { Books } from './books.ts'
import { type Call, checkCalls, checkCalm, checkClients, checkOrder } from './checks.ts'
import { FakeMongo } from './fake-mongo.ts'
import { Schedule } from './schedule.ts'
import { Client } from './client.ts'
import { rules } from './live.ts'
import { resequence } from '../../src/live/resequencer.ts'
import { Lost, Node } from './node.ts'
import type { FakeSocket } from './sockets.ts'
import type { ClientSpec, Mutant, Spec, Step } from './spec.ts'
import { Truth } from './truth.ts'
import { TimeReader } from './time-reader.ts'
import { type Ask, again, conversations, direct, people, poison, unitOf } from './units.ts'
import type { Identity } from '../../src/users/identity.ts'

/**
 * One random history from a client's request to its screen: nodes on one in-memory database, each with its log, sync
 * and delivery, and clients that follow. `runHistory` returns the broken promises.
 */

export type * from './spec.ts'

export async function runHistory (spec: Spec, mutant: Mutant = {}): Promise<string[]> {
  return await new World({ ...spec, ...mutant.within, steps: [...mutant.first ?? [], ...spec.steps] }, mutant).run()
}

const identities = people.map((id): Identity => ({ id, userId: id.toHexString() }) as Identity)

class World {
  private readonly spec: Spec
  private readonly mutant: Mutant
  private readonly schedule: Schedule
  private readonly books = new Books()
  private readonly mongo: FakeMongo
  private readonly truth: Truth
  private readonly nodes: Node[] = []
  private readonly clients: Client[]
  private readonly calls: Call[] = []
  private readonly sent: Array<{ conversationId: string, id: ObjectId }> = []
  private readonly connections = new Map<string, Promise<void>>()
  /** Commits whose outcome is not known yet. */
  private readonly open = new Set<Promise<unknown>>()
  private time = 1_700_000_000_000
  /** Counts the epochs of the database. */
  private era = 1
  private started = 0
  /** The last commit known to be made. A sole writer counts a commit when it knows the outcome. */
  private told = 0

  constructor (spec: Spec, mutant: Mutant) {
    this.spec = {
      ...spec,
      ...(spec.calm ? { faults: 0, lag: 0, loss: 0, nodes: 1 } : {}),
      ...(spec.share ? { nodes: 1, replicates: false } : {})
    }
    // Late reads of a block are allowed, and Truth does not know of them.
    if (spec.steps.some(({ type }) => type === 'block')) this.spec.lag = 0
    this.mutant = mutant
    this.schedule = new Schedule(spec.seed)
    const { faults, lag = 0, replicates, elections = false } = this.spec
    this.mongo = new FakeMongo({
      schedule: this.schedule,
      faults,
      lag,
      replicates,
      elections,
      isCausal: mutant.forgetsTime !== true,
      waitsForLeader: mutant.forgetsElections !== true,
      without: mutant.without ?? [],
      refuses: doc => doc['message'] === poison,
      onApply: writes => { this.books.applied(writes) }
    })
    this.truth = new Truth(this.books, this.mongo, { knowsBlocks: this.spec.share && this.spec.calm })
    for (let index = 0; index < this.spec.nodes; index++) this.nodes.push(this.start(index))
    this.clients = spec.clients.map((client, index) => this.client(`client ${index}`, client))
  }

  async run (): Promise<string[]> {
    const { broken } = this.books
    for (const client of this.clients) this.connect(client)
    for (const step of this.spec.steps) this.enqueue(step)
    const readers = this.timeReaders()
    for (const reader of readers) void reader.follow()
    await this.schedule.run()
    if (this.spec.calm) checkCalm(this.clients, this.books, this.mongo)
    // From here on nothing fails.
    this.mongo.options.faults = this.mongo.options.lag = this.spec.faults = this.spec.loss = 0
    for (const reader of readers) void reader.catchUp()
    for (const client of this.clients) {
      client.options.isPatient = false
      if (!client.isConnected) this.connect(client)
      else client.resume()
    }
    await this.schedule.run()
    for (const node of this.nodes) {
      void node.ready.then(({ services }) => services.live.beat()).catch(
        (error: unknown) => { broken.push(String(error)) }
      )
    }
    await this.schedule.run()
    checkClients('I7', this.clients.filter(({ options }) => options.live), this.books, this.truth, false)
    const fresh = this.client('fresh', { user: 0, live: false, limit: 2 })
    this.clients.push(fresh)
    this.connect(fresh)
    for (const client of this.clients) client.syncNow()
    await this.schedule.run()
    checkClients('I3', this.clients, this.books, this.truth, true)
    for (const reader of readers) this.books.checkReader(reader)
    this.books.checkStore(this.mongo)
    checkCalls(this.calls, this.books, { era: this.era, isCalm: this.spec.calm, isLagging: (this.spec.lag ?? 0) > 0 })
    checkOrder(this.calls, this.books, this.era)
    return broken
  }

  private start (index: number): Node {
    const name = `n${index}.${this.started++}`
    const { client, collections, seen } = this.mongo.connect(name)
    const now = () => {
      this.time += this.schedule.below(3)
      return this.time + (this.spec.clocks[index] ?? 0)
    }
    const node: Node = new Node({
      name,
      seen,
      client,
      collections,
      epoch: this.era,
      commit: {
        isSoleWriter: this.spec.share,
        hasBulkWrite: this.spec.bulk === true,
        batchCountMax: this.spec.batchCountMax,
        headsMax: this.spec.share ? 64 : 2 + index,
        now,
        onCommitted: committed => {
          this.books.delivered(name, committed)
          for (const { row } of committed.rows) {
            const { commit = 0 } = this.books.history(row.conversationId)[row.rev - 1] ?? {}
            this.told = Math.max(this.told, commit)
          }
          this.relay(node, committed)
        }
      },
      steps: { sleep: () => this.schedule.turn(name), ...this.mutant.steps },
      wire: (socket, event, payload) => { this.wire(node, socket, event, payload) },
      bend: log => this.mutant.bend?.(log),
      onFailure: error => { if (!(error instanceof MongoServerError)) this.note(`not delivered: ${String(error)}`) },
      keepsRemoved: this.mutant.keepsRemoved === true,
      resequence: this.mutant.resequence ?? resequence,
      bendGapSource: source => this.mutant.gapSource?.(source),
      later: act => {
        let isStopped = false
        void this.wait(name).then(() => { if (!isStopped) act() })
        return () => { isStopped = true }
      },
      isClustered: this.spec.nodes > 1,
      pull: this.mutant.pull?.(pull) ?? pull
    })
    return node
  }

  private async wait (owner: string): Promise<void> {
    for (let turns = this.schedule.below(12); turns >= 0; turns--) await this.schedule.turn(owner)
  }

  /** Sends a commit to the other nodes. */
  private relay (from: Node, committed: CommittedBatch): void {
    const bytes = BSON.serialize(committed, { ignoreUndefined: true })
    for (const node of this.nodes) {
      if (node === from || this.schedule.chance(this.spec.loss / 2)) continue
      for (let times = this.schedule.chance(this.spec.loss / 2) ? 2 : 1; times > 0; times--) {
        void this.wait(node.name).then(
          async () => { (await node.ready).log.applyRemote(BSON.deserialize(bytes) as CommittedBatch) }
        )
      }
    }
  }

  private client (name: string, { user, live, limit, newest = 50, only = false }: ClientSpec): Client {
    return new Client({
      schedule: this.schedule,
      broken: this.books.broken,
      commits: ({ seen }) => {
        const { told } = this
        return this.spec.share ? () => told : this.mongo.commitsKnown(seen)
      },
      request: (node, work) => this.request(node, work),
      judge: (answer, userId, since) => { this.note(this.truth.wrongIn(answer, userId, since)) },
      judgeHeld: (
        state, userId, since
      ) => { this.note(this.truth.lackedBy(state, userId, since, this.spec.share ? since : Infinity)) }
    }, {
      name,
      identity: identities[user]!,
      live,
      limit,
      newest,
      only,
      isPatient: this.spec.calm,
      rules: this.mutant.rules ?? rules,
      cursorsFirst: this.mutant.cursorsFirst === true
    })
  }

  private timeReaders (): TimeReader[] {
    const { steps, timeReaders = [] } = this.spec
    if (steps.some(({ type }) => type === 'restore' || type === 'collect')) return []
    const around = { collections: this.mongo.connect('reader').collections, schedule: this.schedule, books: this.books }
    return timeReaders.map(limit => new TimeReader(around, limit))
  }

  private connect (client: Client): void {
    client.connect(this.nodes[this.schedule.below(this.nodes.length)]!, this.clients?.indexOf(client) ?? -1)
  }

  private note (wrong: string | undefined): void {
    if (wrong !== undefined) this.books.broken.push(wrong)
  }

  /** A request and its response, either of which may be lost. */
  private async request<T> (node: Node, work: () => Promise<T>): Promise<T> {
    await this.schedule.turn('network')
    if (!node.alive || this.schedule.chance(this.spec.faults / 4)) throw new Lost('There is no way to the node')
    const answer = await Promise.race([work(), node.gone])
    await this.schedule.turn('network')
    if (!node.alive || this.schedule.chance(this.spec.faults / 4)) throw new Lost('The answer is lost')
    return answer
  }

  /** Carries a live event to a client. */
  private wire (node: Node, socket: FakeSocket, event: string, payload: unknown): void {
    if (this.mutant.isDropped?.(event) === true) return
    const client = this.clients[socket.of]!
    if (node.alive && this.truth.isWithheld(event, payload, client.options.identity.userId)) {
      this.note(`I4: a live event of the room for a stranger (${event})`)
    }
    if (node.alive) this.note(this.truth.wrongLive(event, payload, client.options.identity.userId))
    // If the heartbeat is lost too, so is the connection.
    if (event !== 'heads' && this.schedule.chance(this.spec.loss)) return
    for (let times = this.schedule.chance(this.spec.loss / 2) ? 2 : 1; times > 0; times--) {
      void this.schedule.turn('network').then(() => {
        if (client.socket === socket && socket.connected) client.take(event, payload)
      })
    }
  }

  /** Runs steps of one kind, or of one user on one node, in order. None waits for the response. */
  private enqueue (step: Step): void {
    const connection = 'user' in step ? `${step.node} ${step.user}` : step.type
    const before = this.connections.get(connection) ?? Promise.resolve()
    this.connections.set(connection, before.then(async () => {
      for (let pause = this.schedule.below('user' in step ? 20 : 80); pause >= 0; pause--) {
        await this.schedule.turn('fate')
      }
      this.take(step)
    }).catch((error: unknown) => { this.books.broken.push(String(error)) }))
  }

  private take (step: Step): void {
    if ('user' in step) return this.ask(step)
    switch (step.type) {
      case 'crash': return this.spec.calm ? undefined : this.crash(step.node % this.nodes.length)
      case 'failover': return this.spec.calm || this.spec.share ? undefined : this.mongo.failover()
      case 'restore': return this.spec.calm ? undefined : this.restore(step.commits)
      case 'collect':
        void this.collect(this.nodes[step.node % this.nodes.length]!).catch((error: unknown) => { if (!(error instanceof MongoServerError || error instanceof Lost)) this.note(String(error)) })
        return
      case 'beat':
        void this.nodes[step.node % this.nodes.length]!.ready
          .then(({ services }) => services.live.beat()).catch(() => {})
        return
      case 'leave':
      case 'clientCrash':
      case 'sync': {
        const client = this.clients[step.client % this.clients.length]!
        if (step.type === 'sync') return client.syncNow()
        if (step.type === 'clientCrash') client.crash()
        return this.connect(client)
      }
    }
  }

  private ask ({ node, ...ask }: Ask & { node: number }): void {
    const unit = unitOf(ask, this.calls.length, this.sent)
    if (unit === undefined) return
    const [change] = unit.mutations
    if (change?.type === 'append' && ask.type !== 'poison') {
      this.sent.push({ conversationId: change.conversationId, id: change.row._id })
    }
    this.call(this.nodes[node % this.nodes.length]!, `${node} ${ask.user}`, unit)
  }

  private call (node: Node, connection: string, unit: CommitUnit, retries = 2): void {
    const headSeq = Number(this.mongo.read('conversations', direct, this.mongo.durable)?.['headSeq'] ?? 0)
    const call: Call = { node, connection, isRetry: retries < 2, unit, headSeq, era: this.era }
    this.calls.push(call)
    const committed = Promise.race([node.ready.then(({ log }) => log.commit(unit)), node.gone])
    this.open.add(committed)
    void committed.finally(() => { this.open.delete(committed) }).then(
      outcome => { if (call.era === this.era) call.outcome = outcome },
      (error: unknown) => {
        call.error = error
        const [change] = unit.mutations
        // Only a client id makes a second send safe.
        if (retries === 0 || change?.type !== 'append' || change.row.clientMessageId === undefined) return
        void this.schedule.turn('fate').then(
          () => { this.call(this.nodes[this.schedule.below(this.nodes.length)]!, connection, again(unit), retries - 1) }
        )
      })
  }

  private crash (index: number): void {
    const node = this.nodes[index]!
    this.schedule.kill(node.name)
    this.mongo.orphan(node.name, { isAlone: this.spec.share })
    this.nodes[index] = this.start(index)
    node.die()
    for (const client of this.clients) if (client.node === node) this.connect(client)
  }

  private restore (commits: number): void {
    const version = Math.max(0, this.mongo.durable - commits)
    this.era++
    this.mongo.restore(version)
    this.books.restored(version)
    this.told = version
    this.nodes.forEach((_node, index) => { this.crash(index) })
    for (const client of this.clients) client.mayGoBack = true
  }

  /** Deletes the rows of purged messages when they are old: the outcome of their commits is known by then. */
  private async collect (node: Node): Promise<void> {
    const { log } = await Promise.race([node.ready, node.gone])
    for (let looks = this.schedule.below(8); looks >= 0; looks--) {
      for (const id of conversations) {
        await this.schedule.turn(node.name)
        const head = this.mongo.read('conversations', id, this.mongo.durable) as unknown as Head | null
        if (head?.purgedSeq === undefined) continue
        await Promise.allSettled([...this.open])
        const onFiles = async (files: ObjectId[]) => { this.note(this.truth.wrongRelease(files)) }
        await deletePurgedRows(log.collections, head, { rowsAtOnce: 1 + this.schedule.below(8), onFiles })
      }
    }
  }
}
