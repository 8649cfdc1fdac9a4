import type { AuthContext } from './context.ts'
import { TidelogError } from '../errors.ts'
import type { SessionInfo } from '../schemas/auth.ts'
import { endSession } from './sessions.ts'
import type { Identity } from '../users/identity.ts'

/** Sessions in a list. */
const listedMax = 100

/** The caller's sessions that can still be refreshed, the last used first. */
export async function listSessions (
  { sessions, now }: AuthContext, { id, sessionId }: Identity
): Promise<SessionInfo[]> {
  const rows = await sessions.find({ userId: id, expiresAt: { $gt: new Date(now()) } }).toArray()
  const used = rows
    .map(row => ({ row, at: row.lastUsedAt ?? row.refreshedAt }))
    .sort((a, b) => b.at.getTime() - a.at.getTime())
  return used.slice(0, listedMax).map(({ row, at }) => ({
    _id: row._id,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: at.toISOString(),
    client: row.client ?? null,
    current: row._id === sessionId
  }))
}

/** Ends one of the caller's sessions. @throws TidelogError NOT_FOUND */
export async function endOwnSession (context: AuthContext, { id }: Identity, sessionId: string): Promise<void> {
  const row = await context.sessions.findOne({
    _id: sessionId, userId: id, expiresAt: { $gt: new Date(context.now()) }
  })
  if (row === null) throw new TidelogError('NOT_FOUND')
  await endSession(context, id, sessionId)
}

/** Characters of a User-Agent that are kept. */
const clientCharsMax = 200

/** The client's name for itself, shortened for the list of sessions. */
export function clientName (userAgent: string | undefined): string | null {
  const name = (userAgent ?? '').replaceAll(/[^\x21-\x7e]+/g, ' ').trim().slice(0, clientCharsMax)
  return name === '' ? null : name
}
