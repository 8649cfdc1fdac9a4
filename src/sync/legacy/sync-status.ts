import type { ChatContext } from '../../chat/context.ts'
import { readViewerAndMemberships } from '../../chat/access/caller-view.ts'
import { countUnread, sumUnread, withHeads } from '../../chat/conversations/unread.ts'
import type { SyncStatusBody } from '../../schemas/sync.ts'
import { parseTimestamp, refuseFuture } from './timestamp.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Whether the caller's direct conversations have changed, for clients that poll before they sync.
 * @throws TidelogError VALIDATION (an invalid time, or one in the future)
 */
export async function syncStatus (
  context: ChatContext, identity: Identity, lastChecked: string | undefined
): Promise<Omit<SyncStatusBody, 'success'>> {
  const since =
    lastChecked === undefined || lastChecked === '' ? undefined : parseTimestamp('lastChecked', lastChecked)
  const viewer = await readViewerAndMemberships(context, identity)
  const all = await withHeads(context, viewer.memberships, 'direct')
  const last = all.reduce<Date | null>(
    (latest, { head }) => latest === null || head.clock > latest ? head.clock : latest, null
  )
  refuseFuture('lastChecked', since, context.now(), last)
  return {
    lastActivity: last?.toISOString() ?? null,
    serverTime: new Date(context.now()).toISOString(),
    userId: identity.userId,
    hasChanges: last !== null && (since === undefined || last > since),
    ...sumUnread(await countUnread(context, identity, viewer, all))
  }
}
