import { writeMessagesJson } from '../../chat/payload/message-json.ts'
import type { ConversationSync } from './sync-conversation.ts'

/** The response of a legacy sync as JSON in UTF-8. */
export function writeConversationJson (found: ConversationSync): Buffer {
  const { rows, syncTime, cursor, hasMore, reads, reset, purgedSeq } = found
  return writeMessagesJson(found, `"syncTimestamp":"${syncTime.toISOString()}","count":${rows.length},"cursor":"${cursor}","hasMore":${String(hasMore)},"reads":${
    reads.length === 0 ? '[]' : JSON.stringify(reads)}${reset ? ',"reset":true' : ''}${purgedSeq === 0 ? '' : `,"purgedSeq":${purgedSeq}`}`)
}
