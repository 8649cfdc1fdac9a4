import { writeMessages } from '../chat/message-json.ts'
import type { ConversationSync } from './legacy.ts'

/** The answer of a sync as JSON, with messages in UTF-8. */
export function writeSync (found: ConversationSync): Buffer {
  const { rows, time, cursor, hasMore, reads, reset, purgedSeq } = found
  return writeMessages(found, `"syncTimestamp":"${time.toISOString()}","count":${rows.length},"cursor":"${cursor}","hasMore":${String(hasMore)},"reads":${
    reads.length === 0 ? '[]' : JSON.stringify(reads)}${reset ? ',"reset":true' : ''}${purgedSeq === 0 ? '' : `,"purgedSeq":${purgedSeq}`}`)
}
