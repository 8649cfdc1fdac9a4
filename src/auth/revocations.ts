import type { Collection } from 'mongodb'
import type { UserRow } from '../users/user-row.ts'

/** Milliseconds by which an older stamp may become readable after a newer one. */
const lateMsMax = 60_000

/**
 * Finds the users whose sessions were ended since the last look, by any node. A node is told of a logout by the link,
 * but a word can be lost, and then a socket of an ended session would stay and hear messages. The database stamps each
 * revocation with its own clock (`revokedAt`), so no node's clock matters.
 */
export class Revocations {
  private readonly users: Collection<UserRow>
  /** The newest stamp that was found; undefined before the first look. */
  private newest: Date | undefined
  /** Stamps that may be found again, by user. */
  private readonly found = new Map<string, number>()

  constructor (users: Collection<UserRow>) {
    this.users = users
  }

  /** The users with a stamp that is new since the last call. The first call finds none: it notes where to begin. */
  async look (): Promise<UserRow[]> {
    if (this.newest === undefined) {
      const last = await this.users.findOne({ revokedAt: { $exists: true } }, { sort: { revokedAt: -1 } })
      this.newest = last?.revokedAt ?? new Date(0)
      return []
    }
    const since = this.newest.getTime() - lateMsMax
    const rows = await this.users.find({ revokedAt: { $gt: new Date(since) } }).sort({ revokedAt: 1 }).toArray()
    const fresh = rows.filter(({ _id, revokedAt }) => this.found.get(_id.toHexString()) !== revokedAt!.getTime())
    for (const { _id, revokedAt } of rows) {
      this.found.set(_id.toHexString(), revokedAt!.getTime())
      if (revokedAt! > this.newest) this.newest = revokedAt!
    }
    for (const [userId, at] of this.found) if (at <= since) this.found.delete(userId)
    return fresh
  }
}
