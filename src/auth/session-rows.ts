import type { Collection, ObjectId } from 'mongodb'

/** One login, which its refresh tokens continue. */
export interface SessionRow {
  /** The `sid` of its access tokens: a UUID of version 7, which holds the time of the login. */
  _id: string
  userId: ObjectId
  /** SHA-256 of the part that all refresh tokens of the session share: whoever knows it has held one of them. */
  familyHash: string
  /** SHA-256 of the one refresh token that is good now. */
  tokenHash: string
  createdAt: Date
  refreshedAt: Date
  expiresAt: Date
}

export async function ensureSessionIndexes (sessions: Collection<SessionRow>): Promise<void> {
  await sessions.createIndexes([
    { key: { familyHash: 1 }, name: 'family', unique: true },
    { key: { userId: 1 }, name: 'user' },
    { key: { expiresAt: 1 }, name: 'expiry' }
  ])
}

/** Deletes the sessions that can no longer be continued; returns how many. */
export async function pruneSessions (sessions: Collection<SessionRow>, now: number): Promise<number> {
  const { deletedCount } = await sessions.deleteMany({ expiresAt: { $lte: new Date(now) } })
  return deletedCount
}
