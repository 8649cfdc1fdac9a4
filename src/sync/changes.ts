import type { JsonBytes } from '../chat/json-bytes.ts'
import { writeMessage } from '../chat/message-json.ts'
import { type People, type ReadSeqs, messagePayload } from '../chat/payload.ts'
import { metaOf } from '../log/steps.ts'
import type { StoredRow } from '../log/stored-row.ts'
import { type LogRow, selfLogOwner } from '../log/types.ts'
import type { Change, StateChange } from '../schemas/sync.ts'

/** What a conversation is called on the wire: the own log is `self` to its owner. */
export function wireIdOf (conversationId: string): string {
  return selfLogOwner(conversationId) === undefined ? conversationId : 'self'
}

/** A row as the change that clients get, in every sync and live. */
export function changePayload (row: LogRow, people: People, readSeqs: ReadSeqs): Change {
  return row.kind === 'message' ? { rev: row.rev, kind: 'message', message: messagePayload(row, people, readSeqs) } : stateChange(row)
}

/** Writes the same of a stored row. */
export function writeChange (out: JsonBytes, row: StoredRow, people: People, readSeqs: ReadSeqs): void {
  if (row.kind !== 'message') return out.text(JSON.stringify(stateChange(row.decode())))
  out.ascii(`{"rev":${row.rev},"kind":"message","message":`)
  writeMessage(out, row, people, readSeqs)
  out.ascii('}')
}

/** A row that is no message, as the change that clients get. */
export function stateChange (row: LogRow): StateChange {
  const { rev } = row
  switch (row.kind) {
    case 'message': throw new TypeError('A message is no state')
    case 'membership': return {
      rev, kind: 'membership', ...(row.about === undefined ? {} : { conversationId: row.about }), userId: row.userId!.toHexString(), role: row.role ?? null
    }
    case 'meta': return { rev, kind: 'meta', ...metaOf(row) }
    case 'purge': return { rev, kind: 'purge', throughSeq: row.throughSeq! }
    case 'read': return { rev, kind: 'read', conversationId: row.about!, seq: row.readSeq!, at: row.readAt!.toISOString() }
    case 'block': return { rev, kind: 'block', userId: row.about!, on: row.on! }
  }
}
