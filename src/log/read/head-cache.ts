import { LRUCache } from 'lru-cache'
import type { Head } from '../model/types.ts'

/** Ids whose heads are being read, and have not moved since the read began. */
export type HeadRead = Set<string>

/**
 * Heads in memory. For commits any of them will do, because the transaction checks it. Where nobody else writes to the
 * database they also answer what is so now, and then one that is too old would tell a client that nothing has changed:
 * what a read brings is kept only if no commit moved that head meanwhile, and a head on which a commit may still
 * land unseen is not believed until the next commit on it is known to have landed.
 */
export class HeadCache {
  private readonly heads: LRUCache<string, Head>
  /** Conversations that are known not to be there. */
  private readonly absent: LRUCache<string, true>
  private readonly readings = new Set<HeadRead>()
  private readonly uncertain = new Set<string>()

  constructor (max: number) {
    this.heads = new LRUCache({ max })
    this.absent = new LRUCache({ max })
  }

  /** A head that was so once; good enough for a commit. */
  get (id: string): Head | undefined {
    return this.heads.get(id)
  }

  /** The head that is so now, null for none; undefined: not known. Only where nobody else writes. */
  getCurrent (id: string): Head | null | undefined {
    if (this.uncertain.size > 0 && this.uncertain.has(id)) return undefined
    return this.heads.get(id) ?? (this.absent.has(id) ? null : undefined)
  }

  /** A commit has moved this head. */
  set (head: Head): void {
    for (const reading of this.readings) reading.delete(head._id)
    this.uncertain.delete(head._id)
    this.absent.delete(head._id)
    this.heads.set(head._id, head)
  }

  delete (id: string): void {
    for (const reading of this.readings) reading.delete(id)
    this.absent.delete(id)
    this.heads.delete(id)
  }

  /** A commit that moves this head may have been applied, or be applied later. */
  markUncertain (id: string): void {
    this.delete(id)
    this.uncertain.add(id)
  }

  beginRead (ids: readonly string[]): HeadRead {
    const reading = new Set(ids)
    this.readings.add(reading)
    return reading
  }

  storeRead (reading: HeadRead, ids: readonly string[], found: ReadonlyMap<string, Head>): void {
    for (const id of ids) {
      if (!reading.has(id)) continue
      const head = found.get(id)
      if (head === undefined) this.absent.set(id, true)
      else this.heads.set(id, head)
    }
  }

  endRead (reading: HeadRead): void {
    this.readings.delete(reading)
  }
}
