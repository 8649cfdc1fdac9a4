import type { Core } from '../core.ts'
import { toRow } from '../pure/normalize.ts'
import type { Row } from '../pure/state.ts'
import { showRow } from '../pure/view.ts'
import type { WireMessage } from '../pure/wire.ts'
import { Computed } from '../readable.ts'
import type { Message, Readable } from '../types.ts'

/**
 * The pinned messages of a conversation. The log names them; while somebody looks, the new ones are asked for, and kept
 * for a time without a connection.
 */
export function pinsOf (core: Core, id: string): Readable<readonly Message[]> {
  let rows = new Map<string, Row>()
  /** What the last answer, or the one that is awaited, is about. */
  let asked: readonly string[] | undefined
  const named = () => core.engine?.conversations.get(id)?.pins ?? []

  const show = (): readonly Message[] => {
    const { engine } = core
    if (engine?.conversations.has(id) !== true) return []
    takeStored()
    const held = named().flatMap(messageId => rows.get(messageId) ?? [])
    const operations = engine.operationsOf(id)
    const isShown = engine.shownIn(id)
    return held.filter(row => !row.isDeleted && isShown(row)).map(row => showRow(row, operations, engine.viewOf(id)))
  }

  const ask = async (): Promise<void> => {
    const ids = named()
    const { engine } = core
    takeStored()
    if (ids === asked || ids.every(messageId => rows.has(messageId))) return
    asked = ids
    try {
      const path = `/api/conversations/${encodeURIComponent(id)}/pins`
      const { messages } = await core.http.call<{ messages: WireMessage[] }>('GET', path)
      for (const row of messages.map(toRow)) take(row)
      shown.invalidate()
      if (engine === core.engine) await core.remotely('keepPins', id, named().flatMap(pin => rows.get(pin) ?? []))
    } catch {
      // Whoever subscribes next asks again, and so does the next change of the conversation.
      asked = undefined
    }
  }

  const takeStored = () => { for (const row of core.engine?.conversations.get(id)?.pinned ?? []) take(row) }

  /** A row that came live meanwhile is newer. */
  const take = (row: Row): void => {
    if (row.rev > (rows.get(row.id)?.rev ?? 0)) rows.set(row.id, row)
  }

  const shown = new Computed<readonly Message[]>(show, () => { void ask() })
  core.changed.add(changed => {
    if (changed === 'all') rows = new Map()
    else {
      const { conversations = [], rows: stored = [], drop = [], add = [], self } = changed.batch
      const isNarrowed = self !== undefined || add.some(({ conversationId }) => conversationId === id)
      if (!isNarrowed && !drop.includes(id) && !conversations.some(record => record.id === id)) return
      const ids = new Set(named())
      for (const row of stored) if (ids.has(row.id)) take(row)
    }
    shown.invalidate()
    if (shown.isFollowed) void ask()
  })
  return { get: shown.get, subscribe: shown.subscribe }
}
