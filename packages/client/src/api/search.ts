import type { Core } from '../core.ts'
import type { Engine } from '../engine/engine.ts'
import type { Parts } from '../parts.ts'
import { matcherOf } from '../pure/search.ts'
import type { Row } from '../pure/state.ts'
import type { WireMessage } from '../pure/wire.ts'
import { Value, asTidelogError, commonId, showRow, toFailure, toRow } from '../shared.ts'
import type { Client, Failure, Finding, Message, Page, SearchInput } from '../types.ts'

interface Answer { messages: WireMessage[], cursor: string | null, indexing?: true }

/** Rows that are read of a conversation, and of all, to find what is held here. */
const heldMax = { ofOne: 2_000, ofAll: 20_000 }
/** Most that are shown of what is held here. */
const hitsMax = 200

/** What is found is shown, not stored: it may stand where nothing else is held. */
export function searchApi ({ core }: Parts): Pick<Client, 'search' | 'find'> {
  return {
    search: input => searchMessages(core, input),
    find: async input => {
      const finding = new Findings(core, input)
      await finding.begin()
      return finding
    }
  }
}

async function searchMessages (core: Core, input: SearchInput): Promise<Page<Message>> {
  const engine = core.signedIn
  const { messages, cursor } = await ask(core, input)
  return { items: messages.map(row => shown(engine, row)), cursor }
}

/** What is held on this device, and then what the server knows. */
class Findings implements Finding {
  readonly messages = new Value<readonly Message[]>([])
  readonly state = new Value<ReturnType<Finding['state']['get']>>({ loading: true, hasMore: false })
  private readonly core: Core
  private readonly engine: Engine
  private readonly input: SearchInput
  private readonly ended = new AbortController()
  private held: Row[] = []
  private answered: Row[] = []
  private cursor: string | undefined
  /** The server has answered; while it is `indexing`, its answers are not in the order of time. */
  private stage: 'held' | 'indexing' | 'ordered' = 'held'

  constructor (core: Core, input: SearchInput) {
    this.core = core
    this.engine = core.signedIn
    this.input = input
    input.signal?.addEventListener('abort', this.close)
    if (input.signal?.aborted === true) this.close()
  }

  async begin (): Promise<void> {
    // What cannot be read here, the server may still find.
    this.held = await this.readHeld().catch(() => [])
    this.show()
    void this.load()
  }

  readonly loadMore = async (): Promise<void> => {
    const { loading, hasMore, error } = this.state.get()
    if (!loading && (hasMore || error !== undefined)) await this.load()
  }

  readonly close = (): void => {
    this.ended.abort()
  }

  private async load (): Promise<void> {
    this.state.set({ loading: true, hasMore: this.cursor !== undefined })
    let error: Failure | undefined
    try {
      const { cursor } = this
      const answer = await ask(this.core, { ...this.input, cursor, signal: this.ended.signal })
      this.answered.push(...answer.messages)
      this.cursor = answer.cursor
      this.stage = answer.isIndexing ? 'indexing' : 'ordered'
    } catch (thrown) {
      error = toFailure(asTidelogError(thrown))
    }
    if (this.ended.signal.aborted) return
    this.show()
    this.state.set({ loading: false, hasMore: this.cursor !== undefined, ...(error === undefined ? {} : { error }) })
  }

  /** Where the server has looked, its word counts; beyond that, what is held here is shown. */
  private show (): void {
    if (this.ended.signal.aborted) return
    const last = this.stage === 'ordered' ? this.answered.at(-1) : undefined
    const isOver = this.stage !== 'held' && this.cursor === undefined
    const beyond = isOver ? [] : this.held.filter(row => last === undefined || newestFirst(row, last) > 0)
    const rows = new Map([...beyond, ...this.answered].map(row => [row.id, row]))
    this.messages.set([...rows.values()].sort(newestFirst).map(row => shown(this.engine, row)))
  }

  private async readHeld (): Promise<Row[]> {
    const { engine } = this
    const matches = matcherOf(this.input)
    const { conversationId } = this.input
    const records = [...engine.conversations.values()]
      .filter(({ id }) => conversationId === undefined ? id !== commonId : id === conversationId)
      .sort((a, b) => b.activityAt - a.activityAt)
    const found: Row[] = []
    let left = heldMax.ofAll
    for (const { id } of records) {
      if (left <= 0 || this.ended.signal.aborted) break
      const rows = await engine.rows(id, engine.goneThrough(id) + 1, Infinity, Math.min(left, heldMax.ofOne))
      left -= Math.max(1, rows.length)
      const isShown = engine.shownIn(id)
      found.push(...rows.filter(row => matches(row) && isShown(row)))
    }
    return found.sort(newestFirst).slice(0, hitsMax)
  }
}

async function ask (
  core: Core, { text, conversationId, from, has, after, before, limit, cursor, signal }: SearchInput
): Promise<{ messages: Row[], cursor: string | undefined, isIndexing: boolean }> {
  const engine = core.signedIn
  const time = (ms: number | undefined) => ms === undefined ? undefined : new Date(ms).toISOString()
  const answer = await core.http.call<Answer>('GET', '/api/messages/search', {
    query: {
      q: text.trim() === '' ? undefined : text,
      conversationId,
      from,
      has,
      after: time(after),
      before: time(before),
      limit,
      cursor
    },
    signal
  })
  const messages = answer.messages.map(toRow).filter(row => engine.shownIn(row.conversationId)(row))
  return { messages, cursor: answer.cursor ?? undefined, isIndexing: answer.indexing === true }
}

function shown (engine: Engine, row: Row): Message {
  return showRow(row, [], engine.viewOf(row.conversationId))
}

const newestFirst = (a: Row, b: Row): number => b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
