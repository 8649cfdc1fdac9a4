import { sleep } from '../clock.ts'
import { rangeAt } from '../pure/ranges.ts'
import type { ConversationRecord } from '../pure/state.ts'
import type { Clock } from '../types.ts'
import type { Engine } from './engine.ts'

const conversationsMax = 20
/** Of each, so many of the newest messages. */
const messagesMax = 200
const pageSize = 100
/** Between two pages, so that what somebody waits for comes first. */
const pauseMs = 1_000

export interface BackfillOptions {
  engine: Engine
  clock: Clock
  loadHistory: (id: string, before: number, limit: number) => Promise<void>
  signal: AbortSignal
}

/**
 * Fetches in the background what somebody may want to read without a connection: the newest messages of the
 * conversations that were used last. A failure ends it; the next connection continues.
 */
export async function backfill ({ engine, clock, loadHistory, signal }: BackfillOptions): Promise<void> {
  const newest = [...engine.conversations.values()].sort((a, b) => b.activityAt - a.activityAt)
  for (const { id } of newest.slice(0, conversationsMax)) {
    for (let before = 0; ;) {
      const record = engine.conversations.get(id)
      const from = record === undefined ? undefined : wantedBefore(record)
      // A page that brought nothing is not asked for again.
      if (record === undefined || from === undefined || from === before) break
      await sleep(clock, pauseMs, signal)
      if (signal.aborted) return
      await loadHistory(id, from, Math.min(pageSize, messagesMax - (record.top - from + 1)))
      before = from
    }
  }
}

/** Messages before this seq are wanted; undefined: enough are here. */
function wantedBefore ({ ranges, top, purgedSeq }: ConversationRecord): number | undefined {
  const from = rangeAt(ranges, top)?.[0]
  return from === undefined || from <= purgedSeq + 1 || top - from + 1 >= messagesMax ? undefined : from
}

/** The user wants no more traffic than is needed. */
export function savesData (): boolean {
  const { navigator } = globalThis as { navigator?: { connection?: { saveData?: boolean } } }
  return navigator?.connection?.saveData === true
}
