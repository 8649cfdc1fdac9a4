import type { Core } from '../core.ts'
import { TidelogError } from '../errors.ts'
import type { Tokens } from '../network/tokens.ts'
import type { SocketTransport } from '../network/transport.ts'
import { toReads } from '../pure/normalize.ts'
import type { Scope } from '../pure/follow.ts'
import { filesOf } from '../pure/uploads.ts'
import type { WireAnswer, WireReads, WireResult } from '../pure/wire.ts'
import type { Connection } from '../types.ts'
import { backfill, savesData } from './backfill.ts'
import { ConnectionLoop } from './connection.ts'
import type { Engine } from './engine.ts'
import { fetchHistory } from './history.ts'
import { Sender } from './sender.ts'
import { Syncer } from './syncer.ts'
import type { Uploader } from './uploader.ts'

export interface LeaderOptions {
  core: Core
  engine: Engine
  url: string
  socket: SocketTransport | undefined
  tokens: Tokens
  onState: (state: Omit<Connection, 'leads'>) => void
  onEvent: (name: string, payload: unknown) => void
  onLink: (isOpen: boolean) => void
  /** What is fetched stays on this device: then it is worth fetching more than is looked at. */
  keeps?: boolean
}

const pullMs = 30_000

/** The one that talks to the server for all tabs: follows it, and empties the outbox. */
export class Leader {
  readonly syncer: Syncer
  readonly sender: Sender
  readonly connection: ConnectionLoop
  private readonly options: LeaderOptions
  private filling = new AbortController()
  private uploader: Promise<Uploader> | undefined

  constructor (options: LeaderOptions) {
    this.options = options
    const { core, engine, url, socket, tokens, onLink } = options
    const { http, clock, random } = core
    this.syncer = new Syncer({
      engine,
      clock,
      random,
      pull: (body, signal) => http.call<WireAnswer>('POST', '/api/sync', { body, signal, timeoutMs: pullMs + (body.waitMs ?? 0) }),
      onFailure: error => { this.connection.fail(error) }
    })
    this.sender = new Sender({
      engine,
      clock,
      random,
      push: async operations => (await http.call<{ results: WireResult[] }>('POST', '/api/sync/push', { body: { operations }, timeoutMs: pullMs })).results,
      onChanges: events => { this.syncer.hear(events) },
      connection: () => this.syncer.life,
      bring: ids => this.sync(undefined, ids),
      isOnline: () => this.connection.isOnline
    })
    this.connection = new ConnectionLoop({
      url,
      clock,
      random,
      socket,
      tokens,
      syncer: this.syncer,
      sender: { reset: () => { this.reset() } },
      onState: state => { this.tell(state) },
      onEvent: (name, payload) => { this.take(name, payload) },
      onLink
    })
  }

  private tell (state: Omit<Connection, 'leads'>): void {
    const { core: { clock }, engine, onState, keeps = false } = this.options
    onState(state)
    this.filling.abort()
    if (!keeps || savesData() || (state.state !== 'live' && state.state !== 'polling')) return
    this.filling = new AbortController()
    const loadHistory: Leader['loadHistory'] = (...given) => this.loadHistory(...given)
    backfill({ engine, clock, loadHistory, signal: this.filling.signal }).catch(() => {})
  }

  private take (name: string, payload: unknown): void {
    if (name !== 'messagesRead') return this.options.onEvent(name, payload)
    const { conversationId, ...reads } = payload as WireReads & { conversationId: string }
    const { engine } = this.options
    engine.write(() => engine.applyReads(conversationId, [toReads(reads)])).catch((error: unknown) => { this.connection.fail(error) })
  }

  /** There may be something to send. */
  wake (): void {
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
    this.syncer.stop()
    await this.connection.stop()
    await this.sender.stop()
    await this.uploader?.then(uploader => uploader.stop(), () => {})
  }

  /** What the server holds now. */
  async sync (signal?: AbortSignal, scope: Scope = 'all'): Promise<void> {
    if (this.connection.transport !== 'socket') return await this.syncer.sync({ signal })
    this.syncer.mustSync(scope)
    await this.syncer.settled()
  }

  async loadHistory (id: string, before: number, limit: number, signal?: AbortSignal): Promise<void> {
    const { core: { http }, engine } = this.options
    await fetchHistory({ engine, http }, id, { before, limit, signal })
  }

  async markedRead (id: string, seq: number): Promise<void> {
    const { engine } = this.options
    await engine.write(async () => {
      const patch = engine.patch()
      const record = patch.get(id)
      if (record === undefined || seq <= record.localReadSeq) return
      patch.put({ ...record, localReadSeq: seq })
      patch.recount.add(id)
      await engine.commitPatch(patch)
    })
  }

  async ask (event: string, data: unknown): Promise<unknown> {
    const { link } = this.connection
    if (link === undefined) throw new TidelogError({ code: 'OFFLINE' })
    return await link.ask(event, data, 10_000)
  }
}
