import { LRUCache } from 'lru-cache'
import { type Collection, ObjectId } from 'mongodb'
import { BatchedReader } from '../lib/batched-reader.ts'
import { upTo } from '../lib/up-to.ts'
import type { UserRow } from './user-row.ts'

/** Milliseconds for which a user is cached, if no node announces a change. */
const ttlMs = 10_000

/** A user whose row has changed. */
export interface UserChange {
  id: string
  /** A part that others see has changed: a name or the picture. */
  isPublic: boolean
}

type Listener = (change: UserChange, isRemote: boolean) => void

/** Users by id. They are cached, and reads are batched. Code that changes a user calls `announceChange`. */
export class UserDirectory {
  private readonly cache = new LRUCache<string, UserRow>({ ...upTo(50_000), ttl: ttlMs })
  private readonly reader: BatchedReader<string, UserRow>
  private readonly listeners = new Set<Listener>()
  /** Counts invalidations: a read that began before one may return an older row. */
  private version = 0

  constructor (users: Collection<UserRow>) {
    this.reader = new BatchedReader(async ids => {
      const rows = await users
        .find({ _id: { $in: ids.map(id => new ObjectId(id)) } })
        .batchSize(ids.length + 1)
        .toArray()
      return new Map(rows.map(row => [row._id.toHexString(), row]))
    })
  }

  /** The cached user, without waiting; undefined if it is not cached. */
  peek (id: string): UserRow | undefined {
    return this.cache.get(id)
  }

  /** @param id 24-hex; any other text gives undefined. */
  async get (id: string): Promise<UserRow | undefined> {
    const cached = this.cache.get(id)
    if (cached !== undefined) return cached
    if (!ObjectId.isValid(id) || id.length !== 24) return undefined
    const { version } = this
    const row = await this.reader.get(id)
    if (row !== undefined && version === this.version) this.cache.set(id, row)
    return row
  }

  /** The users among `ids` that exist, by id. */
  async getMany (ids: Iterable<string>): Promise<Map<string, UserRow>> {
    const found = new Map<string, UserRow>()
    const missing: Array<Promise<void>> = []
    for (const id of new Set(ids)) {
      const cached = this.cache.get(id)
      if (cached !== undefined) found.set(id, cached)
      else missing.push(this.get(id).then(row => { if (row !== undefined) found.set(id, row) }))
    }
    if (missing.length > 0) await Promise.all(missing)
    return found
  }

  /** Makes the next `get` read the database again, on every node. */
  announceChange (id: string, isPublic = false): void {
    this.notify({ id, isPublic }, false)
  }

  /** Takes a change that another process has announced. */
  applyRemote (change: UserChange): void {
    this.notify(change, true)
  }

  /** Calls `listener` with each announced change; returns a function that ends it. */
  subscribe (listener: Listener): () => void {
    this.listeners.add(listener)
    return () => { this.listeners.delete(listener) }
  }

  private notify (change: UserChange, isRemote: boolean): void {
    this.invalidate(change.id)
    for (const listener of this.listeners) listener(change, isRemote)
  }

  /** Drops the cached user. Call it if another process has changed the row. */
  invalidate (id: string): void {
    this.version++
    this.cache.delete(id)
  }
}
