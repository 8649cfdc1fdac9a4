import { LRUCache } from 'lru-cache'
import { upTo } from '../lib/up-to.ts'
import { type Collection, type Db, MongoBulkWriteError } from 'mongodb'
import { type Rev, revOf } from './model/types.ts'

/** How far a follower has come in a conversation. */
interface Position {
  /** `<follower>|<conversationId>` */
  _id: string
  /** It has handled every change up to this rev. */
  rev: Rev
}

export type PositionCollection = Collection<Position>

export const positionCollection = (db: Db): PositionCollection => db.collection('positions')

/** Positions in memory. */
const positionsMax = 100_000
const positionsInQuery = 1_000

/** The positions of one follower. They only grow, so one that was read before is never too high. */
export class Positions {
  private readonly collection: PositionCollection
  private readonly prefix: string
  private readonly known = new LRUCache<string, Rev>(upTo(positionsMax))

  constructor (collection: PositionCollection, follower: string) {
    this.collection = collection
    this.prefix = `${follower}|`
  }

  /** The positions in these conversations, as far as they were needed: those below `headRev` are read again. */
  async of (heads: Iterable<{ _id: string, headRev: Rev }>, isSoleWriter: boolean): Promise<Map<string, Rev>> {
    const found = new Map<string, Rev>()
    const unknown: string[] = []
    for (const { _id, headRev } of heads) {
      const rev = this.known.get(_id)
      found.set(_id, rev ?? revOf(0))
      if (rev === undefined || (!isSoleWriter && rev < headRev)) unknown.push(_id)
    }
    for (let at = 0; at < unknown.length; at += positionsInQuery) {
      const ids = unknown.slice(at, at + positionsInQuery)
      for (const id of ids) this.note(id, found.get(id)!)
      const rows = await this.collection.find({ _id: { $in: ids.map(id => this.prefix + id) } })
        .batchSize(ids.length + 1).toArray()
      for (const { _id, rev } of rows) {
        found.set(
          _id.slice(this.prefix.length), this.note(_id.slice(this.prefix.length), rev)
        )
      }
    }
    return found
  }

  /**
   * Moves positions. If another process has moved one of them meanwhile, that one stays, and all are read again when
   * they are needed.
   * @returns whether all were moved
   */
  async move (moves: ReadonlyArray<{ conversationId: string, from: Rev, to: Rev }>): Promise<boolean> {
    let moved = 0
    try {
      const {
        modifiedCount,
        upsertedCount
      } = await this.collection.bulkWrite(moves.map(({ conversationId, from, to }) => ({
        updateOne: {
          filter: { _id: this.prefix + conversationId, rev: from },
          update: { $set: { rev: to } },
          upsert: from === 0
        }
      })), { ordered: false })
      moved = modifiedCount + upsertedCount
    } catch (error) {
      if (
        !(error instanceof MongoBulkWriteError) || [error.writeErrors].flat().some(({ code }) => code !== 11_000)
      ) throw error
    }
    for (const { conversationId, to } of moves) {
      if (moved === moves.length) this.note(conversationId, to)
      else this.known.delete(conversationId)
    }
    return moved === moves.length
  }

  private note (id: string, rev: Rev): Rev {
    const known = this.known.get(id)
    const later = known !== undefined && known > rev ? known : rev
    this.known.set(id, later)
    return later
  }
}
