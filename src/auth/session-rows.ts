import type { Collection, ObjectId } from 'mongodb'
import { noDeadline } from '../log/no-deadline.ts'

/** One login, which its refresh tokens continue. */
export interface SessionRow {
  /** The `sid` of its access tokens. */
  _id: string
  userId: ObjectId
  /** SHA-256 of the part that all refresh tokens of the session share: whoever knows it has held one of them. */
  familyHash: string
  /** SHA-256 of the newest refresh token. */
  tokenHash: string
  /** SHA-256 of the refresh token before it, while the newest pair of tokens was not used yet. */
  previousHash?: string
  /** How many pairs came before the newest: its access token names it. */
  pair?: number
  /** The user's `tokenGeneration` at the login, or when the session was kept. */
  generation?: number
  /** What the client called itself when it last got tokens. */
  client?: string | null
  /** To ten minutes, except of sockets: their handshake counts. */
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

/** Deletes the sessions that can no longer be continued; returns how many. */
export async function pruneSessions (sessions: Collection<SessionRow>, now: number): Promise<number> {
  const { deletedCount } = await sessions.deleteMany({ expiresAt: { $lte: new Date(now) } })
  return deletedCount
}
