import type { Collection, ObjectId } from 'mongodb'
import { noDeadline } from '../log/no-deadline.ts'

/** One login, continued by its refresh tokens. */
export interface SessionRow {
  /** The `sid` of its access tokens. */
  _id: string
  userId: ObjectId
  /** SHA-256 of the part that all the session's refresh tokens share: a caller who knows it has held one of them. */
  familyHash: string
  /** SHA-256 of the newest refresh token. */
  tokenHash: string
  /** SHA-256 of the previous refresh token, until the newest pair of tokens is used. */
  previousHash?: string
  /** How many pairs came before the newest one; its access token carries the number. */
  pair?: number
  /** The user's `tokenGeneration` at the login, or when the session was last kept. */
  generation?: number
  /** The client's name for itself when it last got tokens. */
  client?: string | null
  /** Accurate to ten minutes. For sockets, the time of the handshake. */
  lastUsedAt?: Date
  createdAt: Date
  refreshedAt: Date
  expiresAt: Date
}

export async function ensureSessionIndexes (sessions: Collection<SessionRow>): Promise<void> {
  await sessions.createIndexes([
    { key: { familyHash: 1 }, name: 'family', unique: true },
    { key: { userId: 1 }, name: 'user' },
    { key: { expiresAt: 1 }, name: 'expiry' }
  ], noDeadline)
}

/** Deletes the sessions that can no longer be refreshed; returns their number. */
export async function pruneSessions (sessions: Collection<SessionRow>, now: number): Promise<number> {
  const { deletedCount } = await sessions.deleteMany({ expiresAt: { $lte: new Date(now) } })
  return deletedCount
}
