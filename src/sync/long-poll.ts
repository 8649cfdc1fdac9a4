import type { SyncInput } from '../schemas/sync.ts'
import type { SyncContext } from './context.ts'
import { findDue } from './due.ts'
import type { SyncResult } from './response.ts'
import { buildResponse } from './pull.ts'
import { commonChatId, prefixes } from '../chat/rules/conversation-id.ts'
import { selfLogId } from '../log/model/types.ts'
import type { Identity } from '../users/identity.ts'

const nothing: SyncResult = { conversations: [], hasMore: false }

/**
 * The changes of all of a user's conversations. With `waitMs` the call waits for a change, and returns an empty
 * response when the time is over.
 * @param signal ends the wait, because the client is gone
 * @throws TidelogError BAD_CURSOR, OVERLOADED (too many long polls)
 */
export async function pullOrWait (
  context: SyncContext, identity: Identity, { waitMs = 0, ...input }: SyncInput, signal?: AbortSignal
): Promise<SyncResult> {
  const due = await findDue(context, identity, input)
  if (due.length > 0 || waitMs === 0) return await buildResponse(context, identity, due, input)

  const deadline = performance.now() + waitMs
  const waiter = context.longPolls.register(identity.userId, [])
  const end = () => { waiter.end() }
  signal?.addEventListener('abort', end)
  try {
    for (;;) {
      // Registered before the heads are read: a commit in between wakes it.
      context.longPolls.watch(waiter, await roomsOf(context, identity))
      await context.longPolls.settled()
      const due = await findDue(context, identity, input)
      if (due.length > 0) return await buildResponse(context, identity, due, input)
      const left = deadline - performance.now()
      if (left <= 0 || signal?.aborted === true) return nothing
      if (await waiter.wait(Math.min(left, context.pollMs)) === 'end') return nothing
    }
  } finally {
    signal?.removeEventListener('abort', end)
    waiter.release()
  }
}

async function roomsOf ({ chat: { log }, conversations }: SyncContext, identity: Identity): Promise<string[]> {
  const { list } = await conversations.get(identity, await log.head(selfLogId(identity.userId)))
  return list.flatMap(({ wireId }) => wireId.startsWith(prefixes.room) || wireId === commonChatId ? [wireId] : [])
}
