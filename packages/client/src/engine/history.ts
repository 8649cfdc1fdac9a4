import { TidelogError } from '../errors.ts'
import type { Http } from '../network/http.ts'
import { applyHistory } from '../pure/apply.ts'
import { toHistory } from '../pure/changes.ts'
import { otherUserOf } from '../pure/state.ts'
import type { WireHistory } from '../pure/wire.ts'
import type { RowWriter } from './row-writer.ts'

const tries = 3

/** Fetches and stores the messages before a seq. A page from before a reset is asked for again. */
export async function fetchHistory (
  rows: RowWriter, http: Http, id: string, { before, limit, signal }: { before: number, limit: number, signal?: AbortSignal | undefined }
): Promise<void> {
  const { engine } = rows
  for (let tried = 0; tried < tries; tried++) {
    const generation = engine.conversations.get(id)?.generation
    if (generation === undefined) throw new TidelogError({ code: 'NOT_FOUND', status: 404 })
    const page = toHistory(await http.call<WireHistory>('GET', pathOf(id, engine.userId), { query: { before, limit }, signal }))
    if (await rows.write(patch => applyHistory(patch, id, page, { before, generation }))) return
  }
  throw new TidelogError({ code: 'UNAVAILABLE', retryable: true })
}

function pathOf (id: string, userId: string): string {
  const other = otherUserOf(id, userId)
  if (other !== undefined) return `/api/messages/${other}`
  return id.startsWith('room_') ? `/api/rooms/${encodeURIComponent(id.slice('room_'.length))}/messages` : '/api/common-chat/messages'
}
