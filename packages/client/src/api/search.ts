import type { Core } from '../core.ts'
import { toRow } from '../pure/normalize.ts'
import { showRow } from '../pure/view.ts'
import type { WireMessage } from '../pure/wire.ts'
import type { Message, Page, SearchInput } from '../types.ts'

/** What is found is shown, not stored: it may stand where nothing else is held. */
export async function searchMessages (core: Core, { text, conversationId, limit, cursor, signal }: SearchInput): Promise<Page<Message>> {
  const { userId, conversations } = core.signedIn
  const page = await core.http.call<{ messages: WireMessage[], cursor: string | null }>('GET', '/api/messages/search', {
    query: { q: text, conversationId, limit, cursor }, signal
  })
  const items = page.messages.map(message => {
    const row = toRow(message)
    return showRow(row, [], { userId, reads: conversations.get(row.conversationId)?.reads ?? {}, now: core.clock.now() })
  })
  return { items, cursor: page.cursor ?? undefined }
}
