import { backoffMs } from '../clock.ts'
import { TidelogError, asTidelogError } from '../errors.ts'
import { applyRow } from '../pure/apply.ts'
import { type LiveEvent, peopleOf } from '../pure/changes.ts'
import { toRow } from '../pure/normalize.ts'
import type { Patch } from '../pure/patch.ts'
import { judge, nextIn, plan, rebased, refused, sending, toWire, unanswered } from '../pure/push.ts'
import type { StoredOperation } from '../pure/state.ts'
import type { WireMessage, WireResult } from '../pure/wire.ts'
import type { Clock } from '../types.ts'
import type { Engine } from './engine.ts'
import type { RowWriter } from './row-writer.ts'

export interface SenderOptions {
  rows: RowWriter
  clock: Clock
  random: () => number
  /** @throws TidelogError */
  push: (operations: object[], signal: AbortSignal) => Promise<WireResult[]>
  /** What the answers bring, to be taken as live changes. */
  onChanges: (events: LiveEvent[]) => void
  /** Another one after each connection. */
  connection: () => number
  /** Syncs these logs, `self` among them. @throws TidelogError */
  bring: (ids: ReadonlySet<string>) => Promise<void>
  /** The server is there and takes calls. */
  isOnline: () => boolean
}

/** What was there when a push began: an answer that comes after a reset says nothing of the new log. */
interface Asked {
  generations: ReadonlyMap<string, string | undefined>
  connection: number
}

const pauseMax = 300_000

/** Empties the outbox: one call at a time, each operation until it has a final answer. */
export class Sender {
  private readonly options: SenderOptions
  private readonly engine: Engine
  private running: Promise<void> | undefined
  private cancelTimer = () => {}
  private readonly ended = new AbortController()
  /** Calls in a row without an answer. */
  private failures = 0
  private pausedUntil = 0
  /** After a call that was refused as a whole, each goes alone. */
  private isSingle = false

  constructor (options: SenderOptions) {
    this.options = options
    this.engine = options.rows.engine
  }

  /** There may be something to send. */
  wake (): void {
    if (this.isStopped || this.running !== undefined) return
    this.running = this.run().catch(() => { this.pausedUntil = this.options.clock.now() + 5_000 }).finally(() => {
      this.running = undefined
      this.schedule()
    })
  }

  /** The connection is there again. */
  reset (): void {
    this.failures = 0
    this.pausedUntil = 0
    this.wake()
  }

  async stop (): Promise<void> {
    this.ended.abort()
    this.cancelTimer()
    await this.running
  }

  private get isStopped (): boolean {
    return this.ended.signal.aborted
  }

  private schedule (): void {
    this.cancelTimer()
    const { engine, options: { clock, isOnline } } = this
    if (this.isStopped || !isOnline()) return
    const now = clock.now()
    const wait = nextIn(engine.operations, now)
    if (wait === undefined) return
    this.cancelTimer = clock.after(Math.max(wait, this.pausedFor()), () => { this.wake() })
  }

  /** Milliseconds; a clock that was set back does not make it longer. */
  private pausedFor (): number {
    const left = this.pausedUntil - this.options.clock.now()
    return left > pauseMax ? 0 : Math.max(0, left)
  }

  private async run (): Promise<void> {
    const { engine, options: { isOnline } } = this
    while (!this.isStopped && isOnline() && engine.term !== undefined && this.pausedFor() === 0) {
      const chosen = await this.begin()
      if (chosen.length === 0) return
      await this.send(chosen)
    }
  }

  /** What is sent is marked first: after a crash the server may have it. */
  private async begin (): Promise<StoredOperation[]> {
    const { engine, options: { clock } } = this
    return await engine.writeOutbox(async () => {
      const chosen = plan(engine.operations, clock.now()).slice(0, this.isSingle ? 1 : undefined).map(sending)
      if (chosen.length > 0) await engine.commit({ put: chosen })
      return chosen
    })
  }

  private async send (chosen: StoredOperation[]): Promise<void> {
    const asked = this.ask(chosen)
    try {
      const results = await this.options.push(chosen.map(toWire), this.ended.signal)
      this.failures = 0
      await this.bring(chosen, results)
      await this.settle(chosen, results, asked)
    } catch (thrown) {
      const error = asTidelogError(thrown)
      if (error.code === 'STORAGE') throw error
      await this.fail(chosen, error)
    }
  }

  private ask (chosen: readonly StoredOperation[]): Asked {
    const { engine: { conversations }, options: { connection } } = this
    return {
      generations: new Map(chosen.map(({ conversationId: id }) => [id, conversations.get(id)?.generation])),
      connection: connection()
    }
  }

  private async fail (chosen: StoredOperation[], error: TidelogError): Promise<void> {
    const { engine, options: { clock, random } } = this
    const isRefused = [400, 413].includes(error.status)
    if (isRefused && chosen.length === 1) {
      const result = { opId: chosen[0]!.opId, success: false, code: error.code, message: error.message }
      await this.settle(chosen, [result], this.ask([]))
      return
    }
    this.isSingle = isRefused
    if (!isRefused) {
      this.failures++
      this.pausedUntil = clock.now() + Math.max(Math.min(pauseMax, error.retryAfterMs ?? 0), backoffMs(random, this.failures))
    }
    await engine.writeOutbox(() => engine.commit({ put: this.stillThere(chosen).map(operation => unanswered(operation)) }))
  }

  /** One that was answered by its own row meanwhile is gone. */
  private stillThere (chosen: readonly StoredOperation[]): StoredOperation[] {
    const byPosition = new Map(this.engine.operations.map(operation => [operation.position, operation]))
    return chosen.flatMap(({ position }) => byPosition.get(position) ?? [])
  }

  /**
   * An operation is shown until what it did is here. The answer brings a message, but nothing of a conversation that is not
   * held yet, nor the rev of settings: a sync does. If that fails, the same is sent again, which changes nothing.
   */
  private async bring (chosen: readonly StoredOperation[], results: readonly WireResult[]): Promise<void> {
    const { engine, options: { bring } } = this
    const settings = new Set(chosen.flatMap(({ opId, work }) => work.type === 'settings' ? opId : []))
    const missing = new Set(results.flatMap(({ opId, success, message }) => {
      if (!success) return []
      if (settings.has(opId)) return 'self'
      return typeof message === 'object' && !engine.conversations.has(message.conversationId) ? message.conversationId : []
    }))
    if (missing.size === 0) return
    try {
      await bring(missing)
    } catch (cause) {
      throw new TidelogError({ code: 'OFFLINE', retryable: true, cause })
    }
  }

  /** Rows and the end of their operations are stored in one step: no message is there twice, or not at all. */
  private async settle (chosen: StoredOperation[], results: WireResult[], asked: Asked): Promise<void> {
    const { engine, options: { rows, clock, random, connection, onChanges } } = this
    const isSame = () => connection() === asked.connection
    const events: LiveEvent[] = []
    await engine.writeOutbox(async () => {
      events.length = 0
      const patch = rows.patch()
      const put: StoredOperation[] = []
      const settle: StoredOperation[] = []
      const held = new Map(this.stillThere(chosen).map(operation => [operation.opId, operation]))
      for (const result of results) {
        const message = result.success ? result.message : result.current
        if (typeof message === 'object' && isOf(patch, message, asked, isSame())) events.push(taken(patch, message))
        const operation = held.get(result.opId)
        if (operation === undefined) continue
        const settled = judge(result, operation)
        const based = rebased(result, operation)
        if (based !== undefined) put.push(based)
        else if (settled.outcome === 'done') settle.push(operation)
        else if (settled.outcome === 'later') put.push(unanswered(operation, clock.now() + settled.afterMs * (1 + random() / 2)))
        else {
          const folded = refused(engine.operations, operation, settled.failure)
          put.push(...folded.put)
          settle.push(...folded.settle)
        }
        held.delete(result.opId)
      }
      // An operation without a result was not done.
      for (const operation of held.values()) put.push(unanswered(operation, clock.now() + 1_000))
      await rows.commit(patch, { put, settle })
    })
    if (isSame()) onChanges(events)
    if (this.isSingle && chosen.length === 1) this.isSingle = false
  }
}

/** Of the log that is held now. One that was not held then was synced since, or is not yours. */
function isOf (patch: Patch, { conversationId: id }: WireMessage, { generations }: Asked, isSame: boolean): boolean {
  const generation = generations.get(id)
  return generation === undefined ? isSame : patch.get(id)?.generation === generation
}

/** A row that is ahead of what is followed is stored, and applied in its turn. */
function taken (patch: Patch, message: WireMessage): LiveEvent {
  const row = toRow(message)
  const people = peopleOf(message)
  applyRow(patch, row, people)
  return { conversationId: row.conversationId, rev: row.rev, change: { kind: 'message', rev: row.rev, row, people } }
}
