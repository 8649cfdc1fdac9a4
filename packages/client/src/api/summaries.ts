import type { Changed, Core } from '../core.ts'
import type { Engine } from '../engine/engine.ts'
import { type ConversationRecord, type Row, directId } from '../pure/state.ts'
import { compareSummaries, showSummary } from '../pure/view.ts'
import type { Computed } from '../readable.ts'
import type { Readable, Summary } from '../types.ts'

/** So many of the newest rows are looked at for one that is shown. */
const beneathMax = 100

/** The list of conversations. A change works out only the summaries that it concerns. */
export class Summaries {
  private readonly core: Core
  private readonly cache = new Map<string, Summary>()
  /** Of conversations whose newest message is not shown: one that is. */
  private readonly beneath = new Map<string, Row>()
  private readonly single = new Map<string, Computed<Summary | undefined>>()
  private all: readonly Summary[] | undefined
  readonly list: Computed<readonly Summary[]>

  constructor (core: Core) {
    this.core = core
    core.changed.add(changed => { this.take(changed) })
    this.list = core.computed(() => this.compute())
  }

  of (id: string): Readable<Summary | undefined> {
    const state = this.single.get(id) ?? this.core.computed(() => this.summary(id))
    this.single.set(id, state)
    return state
  }

  private take (changed: Changed): void {
    if (changed === 'all' || changed.batch.self !== undefined) {
      this.all = undefined
      this.cache.clear()
      this.beneath.clear()
      return
    }
    for (const row of changed.batch.rows ?? []) {
      if (this.beneath.get(row.conversationId)?.id === row.id) this.beneath.set(row.conversationId, row)
    }
    for (const id of this.concerned(changed)) this.forget(id)
  }

  private forget (id: string): void {
    this.all = undefined
    this.cache.delete(id)
  }

  private concerned ({ batch }: Exclude<Changed, 'all'>): string[] {
    const { userId } = this.core.signedIn
    return [
      ...batch.drop ?? [],
      ...(batch.conversations ?? []).map(({ id }) => id),
      ...(batch.drafts ?? []).map(([id]) => id),
      ...(batch.users ?? []).map(({ id }) => directId(userId, id)),
      ...[...batch.add ?? [], ...batch.put ?? [], ...batch.settle ?? []].map(({ conversationId }) => conversationId)
    ]
  }

  private compute (): readonly Summary[] {
    const ids = [...this.core.engine?.conversations.keys() ?? []]
    this.all ??= ids.flatMap(id => this.summary(id) ?? []).sort(compareSummaries)
    return this.all
  }

  private summary (id: string): Summary | undefined {
    const { engine } = this.core
    const record = engine?.conversations.get(id)
    if (engine === undefined || record === undefined) return undefined
    const held = this.cache.get(id)
    if (held !== undefined) return held
    const summary = showSummary(record, {
      state: engine,
      users: engine.users,
      operations: engine.operationsOf(id),
      draft: engine.drafts.get(id),
      last: this.lastOf(record, engine),
      ...engine.viewOf(id)
    })
    this.cache.set(id, summary)
    return summary
  }

  /** The newest message that is shown. If it is not the newest of all, it has to be read. */
  private lastOf ({ id, last, purgedSeq }: ConversationRecord, engine: Engine): Row | undefined {
    const isShown = engine.shownIn(id)
    if (last === undefined || isShown(last)) return last
    const held = this.beneath.get(id)
    if (held !== undefined && held.seq > purgedSeq && isShown(held)) return held
    engine.rows(id, 0, last.seq, beneathMax).then(rows => {
      const row = rows.findLast(engine.shownIn(id))
      if (row === undefined) return
      this.beneath.set(id, row)
      this.forget(id)
      this.single.get(id)?.invalidate()
      this.list.invalidate()
    }, () => {})
    return undefined
  }
}
