import type { Core } from '../core.ts'
import { toRow } from '../pure/normalize.ts'
import { showRow } from '../pure/view.ts'
import type { WireMessage } from '../pure/wire.ts'
import type { Message, Page, SearchInput } from '../types.ts'

/** What is found is shown, not stored: it may stand where nothing else is held. */
export async function searchMessages (core: Core, { text, conversationId, limit, cursor, signal }: SearchInput): Promise<Page<Message>> {
  const engine = core.signedIn
  const page = await core.http.call<{ messages: WireMessage[], cursor: string | null }>('GET', '/api/messages/search', {
    query: { q: text, conversationId, limit, cursor }, signal
  })
  const rows = page.messages.map(toRow).filter(row => engine.shownIn(row.conversationId)(row))
  const items = rows.map(row => {
    const { reads = {} } = engine.conversations.get(row.conversationId) ?? {}
    return showRow(row, [], { userId: engine.userId, reads, now: core.clock.now() })
  })
  return { items, cursor: page.cursor ?? undefined }
}
