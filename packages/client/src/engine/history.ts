import { TidelogError } from '../errors.ts'
import type { Http } from '../network/http.ts'
import { applyHistory } from '../pure/apply.ts'
import { toHistory } from '../pure/normalize.ts'
import { otherUserOf } from '../pure/state.ts'
import type { WireHistory } from '../pure/wire.ts'
import type { Engine } from './engine.ts'

const tries = 3

/** Fetches and stores the messages before a seq. A page from before a reset is asked for again. */
export async function fetchHistory (
  { engine, http }: { engine: Engine, http: Http }, id: string, { before, limit, signal }: { before: number, limit: number, signal?: AbortSignal | undefined }
): Promise<void> {
  for (let tried = 0; tried < tries; tried++) {
    const generation = engine.conversations.get(id)?.generation
    if (generation === undefined) throw new TidelogError({ code: 'NOT_FOUND', status: 404 })
    const page = toHistory(await http.call<WireHistory>('GET', pathOf(id, engine.userId), { query: { before, limit }, signal }))
    const isTaken = await engine.write(async () => {
      const patch = engine.patch()
      if (!applyHistory(patch, id, page, { before, generation })) return false
      await engine.commitPatch(patch)
      return true
    })
    if (isTaken) return
  }
  throw new TidelogError({ code: 'UNAVAILABLE', retryable: true })
}

function pathOf (id: string, userId: string): string {
  const other = otherUserOf(id, userId)
  if (other !== undefined) return `/api/messages/${other}`
  return id.startsWith('room_') ? `/api/rooms/${encodeURIComponent(id.slice('room_'.length))}/messages` : '/api/common-chat/messages'
}
