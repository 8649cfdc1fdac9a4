import type { Db, MongoClient } from 'mongodb'
import type { ChatContext } from '../../src/chat/context.ts'
import { BlockDirectory } from '../../src/chat/directories/block-directory.ts'
import { HiddenMessages } from '../../src/chat/directories/hidden-messages.ts'
import { MembershipDirectory } from '../../src/chat/directories/membership-directory.ts'
import type { CommitSteps } from '../../src/log/commit/committer.ts'
import { ConversationLog, type LogOptions } from '../../src/log/conversation-log.ts'
import type { LogCollections } from '../../src/log/model/collections.ts'
import type { SyncBody } from '../../src/schemas/sync.ts'
import type { Schedule } from '../../src/lib/schedule.ts'
import { GapSource } from '../../src/live/gap-source.ts'
import { Heartbeat } from '../../src/live/heartbeat.ts'
import { LiveDelivery } from '../../src/live/live-delivery.ts'
import type { resequence } from '../../src/live/resequencer.ts'
import { Subscriptions } from '../../src/live/subscriptions.ts'
import { Watermarks } from '../../src/live/watermarks.ts'
import { type LiveHead, goLive } from '../../src/sockets/go-live.ts'
import type { SocketContext, SocketServices } from '../../src/sockets/context.ts'
import type { SyncContext } from '../../src/sync/context.ts'
import { UserConversationDirectory } from '../../src/sync/user-conversations.ts'
import { writeSyncJson } from '../../src/sync/response.ts'
import type { PullInput, pull } from '../../src/sync/pull.ts'
import { LongPolls } from '../../src/sync/waiters.ts'
import type { Seen } from './fake-store.ts'
import { FakeIo, type FakeSocket, type Wire } from './sockets.ts'
import type { Identity } from '../../src/users/identity.ts'

export interface NodeOptions {
  name: string
  /** How far it has seen the database. */
  seen: Seen
  client: MongoClient
  collections: LogCollections
  epoch: number
  commit: LogOptions
  steps: Partial<CommitSteps>
  wire: Wire
  /** A mutant's change to the log and its context, before anything is built on them. */
  bend: (log: ConversationLog) => void
  pull: typeof pull
  keepsRemoved: boolean
  resequence: typeof resequence
  /** A mutant's change to how gaps are filled. */
  bendGapSource: (source: GapSource) => void
  later: Schedule
  isClustered: boolean
  /** Called if something could not be delivered. */
  onFailure: (error: unknown) => void
}

/** A request or response was lost, which is no defect. */
export class Lost extends Error {}

/** One node, with everything between the database and its sockets. */
export class Node {
  readonly name: string
  readonly io: FakeIo
  readonly seen: Seen
  alive = true
  /** Rejects when the node dies. */
  readonly gone: Promise<never>
  readonly ready: Promise<Parts>
  private readonly options: NodeOptions
  private end: (error: Error) => void = () => {}

  constructor (options: NodeOptions) {
    this.name = options.name
    this.seen = options.seen
    this.options = options
    this.io = new FakeIo(options.wire)
    this.gone = new Promise((_resolve, reject) => { this.end = reject })
    this.gone.catch(() => {})
    this.ready = this.open()
  }

  die (): void {
    this.alive = false
    this.end(new Lost('The node is gone'))
  }

  async pull (identity: Identity, input: PullInput): Promise<SyncBody> {
    const { sync } = await this.ready
    return JSON.parse(writeSyncJson(await this.options.pull(sync, identity, input), 0).toString()) as SyncBody
  }

  async goLive (socket: FakeSocket): Promise<Record<string, LiveHead>> {
    const { services } = await this.ready
    return await goLive({ ...services, socket: socket.real } as SocketContext)
  }

  private async open (): Promise<Parts> {
    const { client, collections, epoch, commit, steps } = this.options
    const log = await ConversationLog.open(client, databaseOf(collections, epoch), commit, steps)
    this.options.bend(log)
    const chat = { log, users, listings: { peek: () => null }, blocks: new BlockDirectory(log, 16), hidden: new HiddenMessages(log, 16), unread } as unknown as ChatContext
    const sync = { chat, conversations: new UserConversationDirectory(log, new MembershipDirectory(log)), unread, longPolls: new LongPolls(), pollMs: Infinity, averageBytes: { change: 700 }, counts: { responses: 0, changes: 0, resets: 0, bytes: 0 } } as SyncContext
    const watermarks = new Watermarks(4)
    const subscriptions = new Subscriptions(this.io.server, chat, watermarks)
    if (this.options.keepsRemoved) subscriptions.membershipEnded = () => {}
    const logger = { debug: () => {}, warn: () => {}, error: ({ err }: { err: unknown }) => { this.options.onFailure(err) } } as unknown as SocketServices['logger']
    const heartbeat = new Heartbeat(subscriptions, sync, 64)
    const gapSource = new GapSource(sync, subscriptions, heartbeat)
    this.options.bendGapSource(gapSource)
    const { later, isClustered, resequence } = this.options
    const live = new LiveDelivery({
      io: this.io.server, chat, watermarks, subscriptions, heartbeat, gapSource, logger, later, resequence, isClustered: () => isClustered
    })
    const services = {
      io: this.io.server, nodes: unlinked, chat, sync, subscriptions, live, log: logger
    } as unknown as SocketServices
    return { log, sync, services }
  }
}

interface Parts {
  log: ConversationLog
  sync: SyncContext
  services: SocketServices
}

/** The histories carry what nodes tell each other. */
const unlinked = { isUp: false, channels: { settled: () => undefined } }

/** This model does not judge unread counts. */
const unread = { count: async () => 0 } as unknown as SyncContext['unread']

/** Every id is a user. */
const users = { peek: (id: string) => ({ fullName: id, username: id }) }

function databaseOf (collections: LogCollections, epoch: number): Db {
  const identity = { epoch, cursorKey: { buffer: Buffer.alloc(32) } }
  return {
    collection: (name: string) => name === 'tidelog' ? { findOneAndUpdate: async () => identity } : collections[({ conversations: 'heads', log: 'rows', members: 'members' } as const)[name as 'log']]
  } as unknown as Db
}
