import type { Identity } from '../auth/identity.ts'
import type { ChatContext } from '../chat/context.ts'
import { countUnread, memberships, sumOf } from '../chat/unread.ts'
import type { SyncStatusBody } from '../schemas/sync.ts'
import { readTimestamp, refuseFuture } from './timestamp.ts'

/**
 * Whether anything happened in the caller's direct conversations, for clients that poll before they sync.
 * @throws TidelogError VALIDATION (a time that is none, or in the future)
 */
export async function syncStatus (context: ChatContext, identity: Identity, lastChecked: string | undefined): Promise<Omit<SyncStatusBody, 'success'>> {
  const since = lastChecked === undefined || lastChecked === '' ? undefined : readTimestamp('lastChecked', lastChecked)
  const all = await memberships(context, identity, 'direct')
  const last = all.reduce<Date | null>((latest, { head }) => latest === null || head.clock > latest ? head.clock : latest, null)
  refuseFuture('lastChecked', since, context.now(), last)
  return {
    lastActivity: last?.toISOString() ?? null,
    serverTime: new Date(context.now()).toISOString(),
    userId: identity.userId,
    hasChanges: last !== null && (since === undefined || last > since),
    ...sumOf(await countUnread(context, identity, all))
  }
}
