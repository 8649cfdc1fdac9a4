import { type Cast, dm } from './cast.ts'

/** Typing reaches only the others, is throttled, and is not stored. */
export async function typing (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid, eve } = cast
  const conversationId = dm(ada, bob)
  const before = await cast.direct(ada, bob, 'before the typing')
  const [mine, mineToo, his, third, stranger] = await Promise.all([ada, ada, bob, cid, eve].map(async person => await cast.phone(person, { live: true }))) as [Phone, Phone, Phone, Phone, Phone]
  const said = { conversationId, userId: ada.id, on: true }
  sheet.is('typing between two is acknowledged', await mine.ask('typing', { conversationId, on: true }), { success: true })
  sheet.is('typing reaches the other', await his.wait('typing', said), said)
  await Promise.all(Array.from({ length: 40 }, async (_, number) => await mine.ask('typing', { conversationId, on: number % 2 === 1 })))
  await his.settle()
  const heard = his.all('typing', { conversationId }).length
  sheet.that('40 announcements at once are throttled', heard <= 10, `${heard} arrived`)

  const trespass = await stranger.ask('typing', { conversationId, on: true })
  sheet.is('typing in a conversation of others is refused as if there were none', trespass, { success: false, code: 'NOT_FOUND' }, 6)
  const { roomId, conversationId: room } = await cast.room({ isPrivate: true }, bob)
  for (const phone of [mine, mineToo, his]) await phone.ask('joinRoom', roomId)
  sheet.is('typing in a room reaches its members', await (async () => {
    await his.ask('typing', { conversationId: room, on: true })
    return await mine.wait('typing', { conversationId: room })
  })(), { userId: bob.id, on: true })
  sheet.is('typing in a private room of others is refused as if there were none', await stranger.ask('typing', { conversationId: room, on: true }), { success: false, code: 'NOT_FOUND' }, 6)
  for (const phone of [mine, mineToo, his, third, stranger]) await phone.settle()
  sheet.that('typing does not come back to who types, on no device', [...mine.all('typing', { userId: ada.id }), ...mineToo.all('typing', { userId: ada.id }), ...his.all('typing', { userId: bob.id })].length === 0)
  for (const [phone, who] of [[third, 'who is not in the conversation'], [stranger, 'a stranger']] as const) sheet.is(`typing does not reach ${who}`, phone.all('typing'), [], 6)
  sheet.is('typing of who was refused reaches nobody', [...his.all('typing', { userId: eve.id }), ...mine.all('typing', { userId: eve.id })], [], 6)

  await cast.call(bob, 'POST', `/api/rooms/${roomId}/messages`, { content: 'typed' })
  const ended = { conversationId: room, userId: bob.id, on: false }
  sheet.is('typing ends with the message', await mine.wait('typing', ended), ended)

  const after = await cast.direct(ada, bob, 'after the typing')
  sheet.that('typing takes no rev and is not stored', after.rev === before.rev + 1 && after.seq === before.seq + 1, { before: before.rev, after: after.rev })
}

type Phone = Awaited<ReturnType<Cast['phone']>>
