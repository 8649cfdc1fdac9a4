import type { Identity } from '../auth/identity.ts'
import type { SyncInput } from '../schemas/sync.ts'
import type { SyncContext } from './context.ts'
import { look } from './look.ts'
import type { Pulled } from './answer.ts'
import { fill } from './pull.ts'
import { selfLogId } from '../log/types.ts'

const nothing: Pulled = { conversations: [], hasMore: false }

/**
 * What changed for a user over all conversations; with `waitMs` as soon as something does, or nothing when the time is over.
 * @param signal ends the wait: nobody takes the answer any more
 * @throws TidelogError BAD_CURSOR, OVERLOADED (too many wait)
 */
export async function sync (context: SyncContext, identity: Identity, { waitMs = 0, ...input }: SyncInput, signal?: AbortSignal): Promise<Pulled> {
  const due = await look(context, identity, input)
  if (due.length > 0 || waitMs === 0) return await fill(context, identity, due, input)

  const deadline = performance.now() + waitMs
  const waiter = context.waiters.register(identity.userId, [])
  const end = () => { waiter.end() }
  signal?.addEventListener('abort', end)
  try {
    for (;;) {
      // Registered first, then the heads: what is committed in between wakes it.
      context.waiters.watch(waiter, await roomsOf(context, identity))
      const due = await look(context, identity, input)
      if (due.length > 0) return await fill(context, identity, due, input)
      const left = deadline - performance.now()
      if (left <= 0 || signal?.aborted === true) return nothing
      if (await waiter.wait(Math.min(left, context.lookAgainMs)) === 'end') return nothing
    }
  } finally {
    signal?.removeEventListener('abort', end)
    waiter.release()
  }
}

async function roomsOf ({ chat: { log }, places }: SyncContext, identity: Identity): Promise<string[]> {
  const { all } = await places.of(identity, await log.head(selfLogId(identity.userId)))
  return all.flatMap(({ wireId }) => wireId.startsWith('room_') ? [wireId] : [])
}
