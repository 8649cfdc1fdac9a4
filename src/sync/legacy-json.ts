import type { ConversationSync } from './legacy.ts'
import { messageText } from './message-json.ts'

/** The answer of a sync as JSON text. */
export function writeSync ({ rows, people, readSeqs, time, cursor, hasMore, reads, reset }: ConversationSync): string {
  let messages = ''
  for (const row of rows) messages += `${messages === '' ? '' : ','}${messageText(row, people, readSeqs).text}`
  return `{"success":true,"messages":[${messages}],"syncTimestamp":"${time.toISOString()}","count":${rows.length},"cursor":"${cursor}","hasMore":${String(hasMore)},"reads":${
    reads.length === 0 ? '[]' : JSON.stringify(reads)}${reset ? ',"reset":true' : ''}}`
}
