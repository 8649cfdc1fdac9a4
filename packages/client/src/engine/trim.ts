import { cutThrough } from '../pure/ranges.ts'
import type { Engine } from './engine.ts'

/** Of a conversation, so many of the newest messages stay. */
const newestMax = 200

/**
 * Drops old messages of quiet conversations until no more than `keep` are stored. They are not gone: history brings them again.
 */
export async function trim (engine: Engine, keep: number): Promise<void> {
  await engine.write(async () => {
    let left = await engine.account.count() - keep
    if (left <= 0) return
    const quietFirst = [...engine.conversations.values()].sort((a, b) => a.activityAt - b.activityAt)
    for (const record of quietFirst) {
      if (left <= 0) return
      const through = record.top - newestMax
      const held = through > 0 ? await engine.account.rows(record.id, 0, through) : []
      if (held.length === 0) continue
      await engine.commit({
        purge: [[record.id, through]],
        conversations: [{ ...record, ranges: cutThrough(record.ranges, through) }],
        term: engine.term ?? 0
      })
      left -= held.length
    }
  })
}
