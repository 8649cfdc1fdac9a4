import { JsonBytes } from './json-bytes.ts'
import type { ConversationSync } from './legacy.ts'
import { writeMessage } from './message-json.ts'

const out = new JsonBytes()

/** The answer of a sync as JSON, with messages in UTF-8. */
export function writeSync ({ rows, people, readSeqs, time, cursor, hasMore, reads, reset, purgedSeq }: ConversationSync): Buffer | string {
  const start = '{"success":true,"messages":['
  const end = `],"syncTimestamp":"${time.toISOString()}","count":${rows.length},"cursor":"${cursor}","hasMore":${String(hasMore)},"reads":${
    reads.length === 0 ? '[]' : JSON.stringify(reads)}${reset ? ',"reset":true' : ''}${purgedSeq === 0 ? '' : `,"purgedSeq":${purgedSeq}`}}`
  if (rows.length === 0) return start + end
  out.clear()
  out.ascii(start)
  for (let index = 0; index < rows.length; index++) {
    if (index > 0) out.ascii(',')
    writeMessage(out, rows[index]!, people, readSeqs)
  }
  out.ascii(end)
  return out.copy()
}
