import { writeMessagesJson } from '../../chat/payload/message-json.ts'
import type { ConversationSync } from './sync-conversation.ts'

/** The response of a legacy sync as JSON, in UTF-8 or as a string. */
export function writeConversationJson (found: ConversationSync): Buffer | string {
  const { rows, syncTime, cursor, hasMore, reads, reset, purgedSeq } = found
  const rest = `"syncTimestamp":"${syncTime.toISOString()}","count":${rows.length},"cursor":"${cursor}",` +
    `"hasMore":${String(hasMore)},"reads":${reads.length === 0 ? '[]' : JSON.stringify(reads)}` +
    `${reset ? ',"reset":true' : ''}${purgedSeq === 0 ? '' : `,"purgedSeq":${purgedSeq}`}`
  // The answer to most polls. Node sends a string in one piece with the headers: that costs less than bytes after them.
  return rows.length === 0 ? `{"success":true,"messages":[],${rest}}` : writeMessagesJson(found, rest)
}
