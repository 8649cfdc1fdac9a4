import { type PublicUser, publicUser } from '../users/public-user.ts'
import { settingsPayload } from '../chat/conversations/settings-payload.ts'
import type { JsonBytes } from '../lib/json-bytes.ts'
import { writeMessageJson } from '../chat/payload/message-json.ts'
import { pinnedIds } from '../chat/payload/pinned-ids.ts'
import type { References, ReadSeqs } from '../chat/payload/message-payload.ts'
import type { StoredRow } from '../log/read/stored-row.ts'
import { type LogRow, selfLogOwner } from '../log/model/types.ts'
import type { StateChange } from '../schemas/sync.ts'
import { settingsOf } from '../log/model/types.ts'

/** A conversation's id on the wire: a self log is `self` to its owner. */
export function wireIdOf (conversationId: string): string {
  return selfLogOwner(conversationId) === undefined ? conversationId : 'self'
}

/** Writes a stored row as a change for a client. */
export function writeChangeJson (out: JsonBytes, row: StoredRow, people: References, readSeqs: ReadSeqs): void {
  if (row.kind !== 'message') {
    const { userId } = row
    const user = userId === undefined ? undefined : publicUser(userId, people.users.get(userId))
    return out.text(JSON.stringify(stateChangePayload(row.decode(), user)))
  }
  out.ascii(`{"rev":${row.rev},"kind":"message","message":`)
  writeMessageJson(out, row, people, readSeqs)
  out.ascii('}')
}

/**
 * A row other than a message, as a change for a client.
 * @param user the user of a membership. A self log names only its owner, who needs none.
 */
export function stateChangePayload (row: LogRow, user?: PublicUser): StateChange {
  const { rev } = row
  switch (row.kind) {
    case 'message': throw new TypeError('A message is no state')
    case 'membership': {
      const membership = { rev, kind: 'membership' as const, userId: row.userId!.toHexString(), role: row.role ?? null }
      if (row.about !== undefined) return { ...membership, conversationId: row.about }
      return user === undefined ? membership : { ...membership, user }
    }
    case 'meta': return { rev, kind: 'meta', ...settingsOf(row) }
    case 'purge': return { rev, kind: 'purge', throughSeq: row.throughSeq! }
    case 'pins': return { rev, kind: 'pins', messageIds: pinnedIds(row) }
    case 'read':
      return { rev, kind: 'read', conversationId: row.about!, seq: row.readSeq!, at: row.readAt!.toISOString() }
    case 'settings': return { rev, kind: 'settings', conversationId: row.about!, ...settingsPayload(row) }
    case 'block': return { rev, kind: 'block', userId: row.about!, on: row.on! }
  }
}
