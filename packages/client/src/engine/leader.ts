import type { Remote } from '../core.ts'
import { TidelogError } from '../errors.ts'
import { toReads } from '../pure/changes.ts'
import type { Scope } from '../pure/follow.ts'
import type { WireAnswer, WireReads, WireResult } from '../pure/wire.ts'
import { filesOf, isOfOutbox } from '../shared.ts'
import type { Connection } from '../types.ts'
import { backfill, savesData } from './backfill.ts'
import { ConnectionLoop } from './connection.ts'
import { fetchHistory } from './history.ts'
import type { LeaderOptions, Leading } from './leading.ts'
import { RowWriter } from './row-writer.ts'
import { Sender } from './sender.ts'
import { Syncer } from './syncer.ts'
import { trim } from './trim.ts'
import type { Uploader } from './uploader.ts'

const pullMs = 30_000
const askMs = 10_000
/** Users whose presence the server tells one socket. */
const watchedMax = 200

/** The one that talks to the server for all tabs: follows it, and empties the outbox. */
export class Leader implements Leading {
  readonly rows: RowWriter
  readonly syncer: Syncer
  readonly sender: Sender
  readonly connection: ConnectionLoop
  private readonly options: LeaderOptions
  private endListening = () => {}
  private filling = new AbortController()
  private uploader: Promise<Uploader> | undefined
  /** Whose presence all tabs want: the server takes each list for all that is wanted. */
  private watched: readonly string[] = []

  constructor (options: LeaderOptions) {
    this.options = options
    const { core, engine, url, socket, tokens, onEvent, onSocket } = options
    const { http, clock, random } = core
    const rows = this.rows = new RowWriter(engine)
    const syncer = this.syncer = new Syncer({
      rows,
      clock,
      random,
      pull: (body, signal) => http.call<WireAnswer>('POST', '/api/sync', { body, signal, timeoutMs: pullMs + (body.waitMs ?? 0) }),
      onFailure: error => { connection.fail(error) }
    })
    this.sender = new Sender({
      rows,
      clock,
      random,
      push: async (operations, signal) => {
        const options = { body: { operations }, signal, timeoutMs: pullMs }
        return (await http.call<{ results: WireResult[] }>('POST', '/api/sync/push', options)).results
      },
      onChanges: events => { syncer.hear(events) },
      connection: () => syncer.life,
      bring: ids => this.sync(undefined, ids),
      isOnline: () => connection.isOnline
    })
    const connection: ConnectionLoop = this.connection = new ConnectionLoop({
      url,
      clock,
      random,
      socket,
      tokens,
      syncer,
      onUp: () => { this.reset() },
      onState: state => { this.tell(state) },
      onEvent: (name, payload) => {
        if (name === 'messagesRead') this.takeReads(payload as WireReads & { conversationId: string })
        else onEvent(name, payload)
      },
      onSocket: isOpen => {
        if (!isOpen) this.watched = []
        onSocket(isOpen)
      },
      watched: () => this.watched
    })
  }

  readonly remote: Remote = {
    tell: async (event, data) => { this.connection.socket?.tell(event, data) },
    hurry: async () => { this.connection.wake() },
    loadHistory: async (id, before, limit, signal) => {
      await fetchHistory(this.rows, this.options.core.http, id, { before, limit, signal })
    },
    markedRead: async (id, seq) => {
      await this.rows.write(patch => {
        const record = patch.get(id)
        if (record === undefined || seq <= record.localReadSeq) return false
        patch.put({ ...record, localReadSeq: seq })
        patch.recount.add(id)
        return true
      })
    },
    keepPins: async (id, rows) => {
      await this.rows.write(patch => {
        patch.change(id, ({ pins = [], pinned = [] }) => ({
          pinned: rows.filter(row => pins.includes(row.id) && !patch.isGone(id, row.seq))
            .map(row => pinned.find(held => held.id === row.id && held.rev > row.rev) ?? row)
        }))
        return true
      })
    },
    presence: async userIds => {
      const { socket } = this.connection
      if (socket === undefined) throw new TidelogError({ code: 'OFFLINE' })
      this.watched = [...new Set([...userIds, ...this.watched])].slice(0, watchedMax)
      return await socket.ask('subscribePresence', { userIds: this.watched }, askMs)
    },
    sync: signal => this.sync(signal)
  }

  get transport (): Leading['transport'] {
    return this.connection.transport
  }

  get counters (): Record<string, number> {
    return this.syncer.counters
  }

  async begin (): Promise<void> {
    const { engine, keep } = this.options
    await engine.lead()
    // Written here or in another tab: there may be something to send.
    this.endListening = engine.changed.add(changed => {
      if (changed !== 'all' && isOfOutbox(changed.batch)) this.wake()
    })
    // What could not be dropped is dropped the next time.
    if (keep !== undefined) await trim(engine, keep).catch(() => {})
  }

  private tell (state: Omit<Connection, 'leads'>): void {
    const { core: { clock }, engine, onState, keep } = this.options
    onState(state)
    this.filling.abort()
    // What is fetched stays on this device: then it is worth fetching more than is looked at.
    if (keep === undefined || savesData() || (state.state !== 'live' && state.state !== 'polling')) return
    this.filling = new AbortController()
    const { loadHistory } = this.remote
    backfill({ engine, clock, loadHistory, signal: this.filling.signal }).catch(() => {})
  }

  private takeReads ({ conversationId, ...reads }: WireReads & { conversationId: string }): void {
    this.rows.applyReads(conversationId, [toReads(reads)]).catch((error: unknown) => { this.connection.fail(error) })
  }

  private wake (): void {
    this.sender.wake()
    this.withUploader(uploader => { uploader.wake() })
  }

  /** The connection is there again. */
  private reset (): void {
    this.sender.reset()
    this.withUploader(uploader => { uploader.reset() })
  }

  /** It is loaded when there are files in the outbox. Without a connection it is tried again with the next one. */
  private withUploader (run: (uploader: Uploader) => void): void {
    const { core: { http, clock, random }, engine, onEvent } = this.options
    if (this.uploader === undefined && !engine.operations.some(operation => filesOf(operation).length > 0)) return
    this.uploader ??= import('./uploader.ts').then(({ Uploader }) => new Uploader({
      engine,
      http,
      clock,
      random,
      isOnline: () => this.connection.isOnline,
      onProgress: progress => {
        onEvent('upload', progress)
        // The server is there.
        if (!this.connection.isOnline) this.connection.wake()
      },
      onReady: () => { this.sender.wake() }
    }))
    this.uploader.then(run, () => { this.uploader = undefined })
  }

  start (): void {
    this.connection.start()
  }

  async stop (): Promise<void> {
    this.endListening()
    this.syncer.stop()
    await this.connection.stop()
    await this.sender.stop()
    await this.uploader?.then(uploader => uploader.stop(), () => {})
  }

  async probe (): Promise<void> {
    await this.connection.probe()
  }

  async sync (signal?: AbortSignal, scope: Scope = 'all'): Promise<void> {
    await this.syncer.bring(scope, signal)
  }
}
