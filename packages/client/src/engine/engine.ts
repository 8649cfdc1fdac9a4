import { type Failure } from '../types.ts'
import { asTidelogError, TidelogError, toFailure } from '../errors.ts'
import { filesOf } from '../pure/outbox.ts'
import {
  type Batch, type ConversationRecord, type Person, type Row, type SelfRecord, type StoredOperation, emptySelf, readSeqOf
} from '../pure/state.ts'
import { type ViewContext, settingsOf, shownBy } from '../pure/view.ts'
import { Listeners } from '../readable.ts'
import { applyRecords } from '../storage/apply-batch.ts'
import { type AccountStorage, type Loaded, Stale } from '../storage/storage.ts'
import { inTurns } from '../turns.ts'

/** What was stored in one step; other tabs get it as it is. */
export interface Delta {
  batch: Batch
  /** Of `batch.add`. */
  positions: number[]
  news: Row[]
}

export interface EngineEnds {
  onFailure: (failure: Failure) => void
  /** Another tab writes the rows from now on. */
  onLost: () => void
}

/**
 * What is stored of a user, in memory, and its only writer: one step at a time is worked out, stored whole, and then
 * shown. A step that cannot be stored changes nothing.
 */
export class Engine {
  readonly userId: string
  readonly account: AccountStorage
  readonly changed = new Listeners<Delta | 'all'>()
  /** Told of what was stored here. */
  onCommitted: (delta: Delta) => void = () => {}
  self: SelfRecord = emptySelf
  readonly conversations = new Map<string, ConversationRecord>()
  readonly users = new Map<string, Person>()
  readonly drafts = new Map<string, string>()
  /** This client writes rows; undefined: it follows another tab. */
  term: number | undefined
  /** Steps of this life, for `inspect`. */
  steps = 0
  private readonly byPosition = new Map<number, StoredOperation>()
  private ordered: StoredOperation[] | undefined
  private highestTerm = 0
  private readonly gone = new Set<number>()
  private readonly inTurn = inTurns()
  /** Heard while what is stored is read, which may not have it: shown afterwards. Undefined: nothing is being read. */
  private early: Delta[] | undefined = []
  private isEnded = false
  private readonly ends: EngineEnds

  constructor (userId: string, account: AccountStorage, ends: EngineEnds) {
    this.userId = userId
    this.account = account
    this.ends = ends
  }

  /** Everything in the order in which it is to be sent. */
  get operations (): readonly StoredOperation[] {
    this.ordered ??= [...this.byPosition.values()].sort((a, b) => a.position - b.position)
    return this.ordered
  }

  /** For the other tabs: one that ended may have stored it, and told nobody. */
  get pending (): Delta {
    return { batch: { put: this.operations.filter(({ state }) => state !== 'failed') }, positions: [], news: [] }
  }

  operationsOf (conversationId: string): StoredOperation[] {
    return this.operations.filter(operation => operation.conversationId === conversationId)
  }

  /** Takes over what is stored. */
  async load (): Promise<void> {
    const early = this.early ??= []
    try {
      this.take(await this.store(() => this.account.load()))
    } finally {
      this.early = undefined
      for (const delta of early) this.show(delta)
    }
  }

  private take ({ self, conversations, users, operations, drafts, term }: Loaded): void {
    if (this.term !== undefined && term !== this.term) {
      this.term = undefined
      this.ends.onLost()
    }
    this.highestTerm = Math.max(this.highestTerm, term)
    this.self = self ?? emptySelf
    replace(this.conversations, conversations.map(record => [record.id, record]))
    replace(this.users, users.map(user => [user.id, user]))
    replace(this.drafts, drafts)
    replace(this.byPosition, operations.map(operation => [operation.position, operation]))
    this.ordered = undefined
  }

  /** From now on this client writes the rows. What was being sent when the last one ended is sent again. */
  async lead (): Promise<void> {
    await this.write(async () => {
      this.term = await this.store(() => this.account.takeOver())
      await this.load()
      const put = this.operations.flatMap(operation => operation.state === 'sending'
        ? { ...operation, state: 'queued' as const, version: operation.version + 1 }
        : [])
      if (put.length > 0) await this.commit({ put })
    })
  }

  /** One step after the other. */
  write<T> (step: () => Promise<T>): Promise<T> {
    return this.inTurn(async () => {
      if (this.isEnded) throw new TidelogError({ code: 'NO_SESSION' })
      return await step()
    })
  }

  /** Nothing is read or stored any more. @param wipe what is stored is removed */
  async end (wipe: boolean): Promise<void> {
    await this.inTurn(async () => {
      this.isEnded = true
      if (wipe) await this.account.clear()
      this.account.close()
    })
  }

  /** Stored by somebody else: takes it over and shows it. */
  async reload (): Promise<void> {
    await this.write(() => this.load())
    this.changed.call('all')
  }

  /** Changes of the outbox: if another tab was first, they are worked out again. */
  async writeOutbox<T> (step: () => Promise<T>): Promise<T> {
    return await this.write(async () => {
      for (let tries = 0; ; tries++) {
        try {
          return await step()
        } catch (error) {
          if (!(error instanceof Stale) || tries === 3) throw error
          await this.load()
          this.changed.call('all')
        }
      }
    })
  }

  async commit (batch: Batch, news: Row[] = []): Promise<number[]> {
    const dropFiles = (batch.settle ?? []).flatMap(filesOf).map(({ key }) => key)
    const positions = await this.store(() => this.account.commit({ ...batch, dropFiles }))
    this.steps++
    const { files, ...told } = batch
    const delta = { batch: told, positions, news }
    this.show(delta)
    this.onCommitted(delta)
    return positions
  }

  /** Shows what another tab has stored. */
  hear (delta: Delta): void {
    this.early === undefined ? this.show(delta) : this.early.push(delta)
  }

  /** Shows what was stored. */
  show (delta: Delta): void {
    const { batch, positions } = delta
    // A tab that led before this one may still speak.
    if (batch.term !== undefined && batch.term < this.highestTerm) return
    this.highestTerm = Math.max(this.highestTerm, batch.term ?? 0)
    applyRecords(this, batch)
    for (const { position } of batch.settle ?? []) {
      this.byPosition.delete(position)
      // Tabs may hear of its end before they hear of it.
      this.gone.add(position)
    }
    const added = (batch.add ?? []).map((operation, index) => ({ ...operation, position: positions[index]! }))
    for (const operation of [...added, ...batch.put ?? []]) {
      if (this.gone.has(operation.position) || operation.version < (this.byPosition.get(operation.position)?.version ?? 0)) continue
      this.byPosition.set(operation.position, operation)
    }
    if (isOfOutbox(batch)) this.ordered = undefined
    this.changed.call(delta)
  }

  /** The bytes of a file of the outbox. */
  async file (key: string): Promise<Blob | undefined> {
    if (this.isEnded) return undefined
    return await this.store(() => this.account.file(key))
  }

  /** Rows as they are stored; not all of them are shown. */
  async rows (id: string, from: number, to: number, limit?: number): Promise<Row[]> {
    if (this.isEnded) return []
    return await this.store(() => this.account.rows(id, from, to, limit))
  }

  /** Who sees the messages of a conversation, and how far others have read. */
  viewOf (id: string): ViewContext {
    return { userId: this.userId, reads: this.conversations.get(id)?.reads ?? {} }
  }

  /** Which messages of a conversation the user wants to see. */
  shownIn (id: string): (row: Row) => boolean {
    return shownBy(this.self, id, this.operationsOf(id))
  }

  /** Messages up to here are not there for this user. */
  goneThrough (id: string): number {
    const { clearedSeq } = settingsOf(this.self, id, this.operationsOf(id))
    return Math.max(this.conversations.get(id)?.purgedSeq ?? 0, clearedSeq)
  }

  readSeq (id: string): number {
    return readSeqOf(this, id)
  }

  private async store<T> (work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Stale) throw error
      const failure = error instanceof TidelogError ? error : new TidelogError({ code: 'STORAGE', cause: error, message: `This device could not store it: ${asTidelogError(error).message}` })
      this.ends.onFailure(toFailure(failure))
      throw failure
    }
  }
}

/** Does it change the outbox? */
export function isOfOutbox ({ add = [], put = [], settle = [] }: Batch): boolean {
  return add.length + put.length + settle.length > 0
}

function replace<K, V> (map: Map<K, V>, entries: ReadonlyArray<readonly [K, V]>): void {
  map.clear()
  for (const [key, value] of entries) map.set(key, value)
}
