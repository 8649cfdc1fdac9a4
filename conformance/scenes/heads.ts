import { type Cast, dm } from './cast.ts'

/**
 * The cheap poll: heads equal the cursors of a client that has everything, and the answer is 304 while nothing changes.
 */
export async function heads (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid } = cast
  const conversationId = dm(ada, bob)
  await cast.direct(ada, bob, 'there is something')
  await cast.direct(ada, cid, 'and something else')
  const first = await quiet(cast)
  if (first === undefined) return sheet.skip('heads while nothing changes: others write to the common chat')
  const { cursors } = await cast.sync(ada)
  const differing = Object.keys(first.heads).filter(id => first.heads[id] !== cursors[id])
  sheet.is('heads are the cursors of who has everything', differing.filter(id => id !== 'common_chat'), [])
  sheet.is('a 304 has no body and the ETag', await fetchHeads(cast, first.etag), { status: 304, text: '', etag: first.etag })
  sheet.is('one of several ETags is enough', await fetchHeads(cast, `"other", W/${first.etag}`), { status: 304 })
  sheet.is('another ETag gets the heads', await fetchHeads(cast, '"other"'), { status: 200, etag: first.etag })
  const phone = await cast.phone(ada)
  await phone.ask('typing', { conversationId, on: true })
  sheet.is('typing changes no head', await fetchHeads(cast, first.etag), { status: 304 })

  const sent = await cast.direct(bob, ada, 'something new')
  const second = await fetchHeads(cast, first.etag)
  sheet.is('a message changes the ETag', { status: second.status, isSame: second.etag === first.etag }, { status: 200, isSame: false })
  const moved = Object.keys(second.heads).filter(id => second.heads[id] !== first.heads[id] && id !== 'common_chat')
  sheet.is('the head that moved is that of the conversation that changed', moved, [conversationId])
  const { conversations } = await cast.sync(ada, first.heads)
  sheet.is('what is behind a head is what came since', [...conversations.values()].filter(one => one.conversationId !== 'common_chat').map(one => one.changes.map(({ message }) => message?._id as string)), [[sent._id]])

  for (const [what, act] of Object.entries({
    'an edit': async () => await cast.call(bob, 'PUT', `/api/messages/${sent._id as string}`, { content: 'edited' }),
    'a reaction': async () => await cast.call(ada, 'PUT', `/api/messages/${sent._id as string}/reactions/${encodeURIComponent('❤️')}`),
    'an own read': async () => await cast.call(ada, 'PATCH', `/api/messages/${sent._id as string}/read`),
    'a block': async () => await cast.call(ada, 'PUT', `/api/users/${cid.id}/block`),
    'its end': async () => await cast.call(ada, 'DELETE', `/api/users/${cid.id}/block`),
    'a new room': async () => await cast.room({}),
    'a delete': async () => await cast.call(bob, 'DELETE', `/api/messages/${sent._id as string}`)
  })) {
    const { etag } = await fetchHeads(cast)
    await act()
    sheet.is(`${what} changes the ETag`, await fetchHeads(cast, etag), { status: 200 })
  }
  for (const cursor of ['', 'x', '💥', `${cursors[conversationId]!}x`, cursors[dm(ada, cid)]!]) {
    sheet.is('a cursor that is none of this conversation is 400 BAD_CURSOR', await cast.call(ada, 'POST', '/api/sync', { cursors: { [conversationId]: cursor } }), { status: 400, code: 'BAD_CURSOR' })
  }
  sheet.is('a cursor of somebody else is 400 BAD_CURSOR', await cast.call(bob, 'POST', '/api/sync', { cursors: { [conversationId]: cursors[conversationId] } }), { status: 400, code: 'BAD_CURSOR' }, 6)
}

interface Fetched { status: number, etag: string, text: string, heads: Record<string, string> }

async function fetchHeads ({ rest, ada }: Cast, etag?: string): Promise<Fetched> {
  const answer = await rest.exchange('GET', '/api/sync/heads', { token: ada.token, headers: etag === undefined ? {} : { 'if-none-match': etag } })
  if (answer === undefined) throw new Error('GET /api/sync/heads was not answered')
  const { status, headers, text } = answer
  return { status, etag: headers.get('etag') ?? '', text, heads: status === 200 ? (JSON.parse(text) as { heads: Record<string, string> }).heads : {} }
}

/** The heads while nobody writes. Undefined: no such moment was found. */
async function quiet (cast: Cast): Promise<Fetched | undefined> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const [first, second] = [await fetchHeads(cast), await fetchHeads(cast)]
    if (first.heads['common_chat'] === second.heads['common_chat']) return first
  }
  return undefined
}
