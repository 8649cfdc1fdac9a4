import { toOperation } from './api/operations.ts'
import type { Core } from './core.ts'
import type { Leading } from './engine/leading.ts'
import type { Connection, Inspection } from './types.ts'

/** For a fault report: numbers and states, no content. */
export function inspectionOf (
  { engine, http }: Core,
  { tabId, leader, connection }: { tabId: string, leader: Leading | undefined, connection: Connection }
): Inspection {
  const operations = engine?.operations.map(toOperation) ?? []
  const count = (state: string) => operations.filter(operation => operation.state === state).length
  return {
    userId: engine?.userId,
    tab: { id: tabId, leads: leader !== undefined, term: engine?.term ?? 0 },
    connection,
    transport: leader?.transport ?? 'none',
    conversations: engine?.conversations.size ?? 0,
    outbox: { queued: count('queued'), sending: count('sending'), failed: count('failed') },
    counters: { requests: http.requests, steps: engine?.steps ?? 0, ...leader?.counters }
  }
}
