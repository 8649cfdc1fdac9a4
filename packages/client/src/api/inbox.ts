import type { Core } from '../core.ts'
import type { Engine } from '../engine/engine.ts'
import type { Parts } from '../parts.ts'
import type { ConversationRecord } from '../pure/state.ts'
import { TidelogError, counts, isWhole, showRow } from '../shared.ts'
import type { Client, Message } from '../types.ts'

const pageSize = 100

export function inboxOf ({ core }: Parts): Client['inbox'] {
  return options => inbox(core, options)
}

/** What others wrote and you have not read, each once in this life, in the order of each conversation. */
async function * inbox (core: Core, { signal }: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<Message> {
  const given = new Map<string, number>()
  let whose = core.engine
  let hasChanged = true
  let wake = () => {}
  const end = core.changed.add(() => {
    hasChanged = true
    wake()
  })
  const abort = () => { wake() }
  signal?.addEventListener('abort', abort)
  try {
    while (signal?.aborted !== true) {
      if (!hasChanged) await new Promise<void>(resolve => { wake = resolve })
      hasChanged = false
      const { engine } = core
      // Another user's.
      if (engine !== whose) given.clear()
      whose = engine
      for (const id of [...engine?.conversations.keys() ?? []]) {
        if (engine === undefined || engine !== core.engine) break
        for (const message of await unread(core, engine, id, given)) {
          if (isAborted(signal)) return
          if (engine !== core.engine) break
          given.set(id, message.seq!)
          yield message
        }
      }
    }
  } finally {
    end()
    signal?.removeEventListener('abort', abort)
  }
}

function isAborted (signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

async function unread (
  core: Core, engine: Engine, id: string, given: ReadonlyMap<string, number>
): Promise<Message[]> {
  const from = () => Math.max(engine.readSeq(id), given.get(id) ?? 0) + 1
  const record = (): ConversationRecord | undefined => engine.conversations.get(id)
  const { top = 0, isFresh = true, unreadCount = 0 } = record() ?? {}
  if (isFresh || from() > top || unreadCount === 0) return []
  try {
    for (let before = top + 1; !isWhole(record()?.ranges ?? [], from(), top) && before > from();) {
      const range = record()?.ranges.find(([first, last]) => first < before && last >= before - 1)
      if (range === undefined) await core.remotely('loadHistory', id, before, pageSize)
      else before = range[0]
    }
  } catch (error) {
    // Not now: the next change tries again.
    if (error instanceof TidelogError && error.retryable) return []
    throw error
  }
  const rows = await engine.rows(id, from(), top)
  const isShown = engine.shownIn(id)
  return rows.filter(row => row.senderId !== engine.userId && counts(row) && isShown(row))
    .map(row => showRow(row, [], engine.viewOf(id)))
}
