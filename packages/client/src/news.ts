import type { TypingState } from './api/typing.ts'
import type { Changed, Core } from './core.ts'
import type { Engine } from './engine/engine.ts'
import { showRow } from './pure/view.ts'

/** Tells everybody of a change: whoever shows something, and whoever waits for what happens. */
export function tellOf (changed: Changed, core: Core, engine: Engine, typing: TypingState): void {
  core.changed.call(changed)
  if (changed === 'all') return
  for (const conversationId of changed.batch.drop ?? []) core.emit('removed', { conversationId })
  for (const row of changed.news) {
    typing.heardMessage(row.conversationId, row.senderId)
    if (!engine.shownIn(row.conversationId)(row)) continue
    core.emit('message', showRow(row, [], engine.viewOf(row.conversationId)))
  }
}
