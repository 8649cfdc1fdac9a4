import type { People, ReadSeqs } from '../chat/payload.ts'
import { messagePayload } from '../chat/payload.ts'
import { metaOf } from '../log/steps.ts'
import { type LogRow, selfLogOwner } from '../log/types.ts'
import type { Change, StateChange } from '../schemas/sync.ts'
import { type MessageText, messageText } from './message-json.ts'

/** What a conversation is called on the wire: the own log is `self` to its owner. */
export function wireIdOf (conversationId: string): string {
  return selfLogOwner(conversationId) === undefined ? conversationId : 'self'
}

/** A row as the change that clients get, in every sync and live. */
export function changePayload (row: LogRow, people: People, readSeqs: ReadSeqs): Change {
  return row.kind === 'message' ? { rev: row.rev, kind: 'message', message: messagePayload(row, people, readSeqs) } : stateChange(row)
}

/** The same as JSON text. */
export function changeText (row: LogRow, people: People, readSeqs: ReadSeqs): MessageText {
  if (row.kind !== 'message') return sized(JSON.stringify(stateChange(row)))
  const { text, bytes } = messageText(row, people, readSeqs)
  const start = `{"rev":${row.rev},"kind":"message","message":`
  return { text: `${start}${text}}`, bytes: bytes + start.length + 1 }
}

export function sized (text: string): MessageText {
  return { text, bytes: Buffer.byteLength(text) }
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
