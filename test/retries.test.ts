import t from 'tap'
import { startApp } from './helpers/app.ts'
import { connect } from './helpers/sockets.ts'

/** The numbered retry cases of docs/PROTOCOL.md. */
t.test('the retry cases of PROTOCOL', async t => {
  const { call, register, url } = await startApp(t, { RATE_LIMIT_SENDS: '40' })
  const ada = await register('ada')
  const bob = await register('bob')
  const send = (body: object) => call('POST', '/api/messages', { token: ada.token, body: { receiverId: bob.id, ...body } })
  const stored = async (clientMessageId: string) => {
    const { body } = await call('POST', '/api/messages/sync-conversation', { token: bob.token, body: { otherUserId: ada.id, limit: 500 } })
    return (body.messages as Array<{ clientMessageId: string, _id: string }>).filter(message => message.clientMessageId === clientMessageId)
  }

  t.test('R1: after a connection that broke before the answer, a repeated send is one message', async t => {
    const { socket, gone } = await connect(t, url, ada.token)
    const message = { receiverId: bob.id, content: 'into the tunnel', clientMessageId: 'r1' }
    socket.emit('sendDirectMessage', message)
    socket.io.engine.close()
    await gone
    const again = await connect(t, url, ada.token)
    const answer = await again.ask('sendDirectMessage', message)
    t.match(answer, { success: true, message: { clientMessageId: 'r1' } })
    t.match(await send({ content: 'into the tunnel', clientMessageId: 'r1' }), { status: 200, body: { duplicate: true, message: { _id: answer.message._id } } })
    t.equal((await stored('r1')).length, 1)
  })

  t.test('R2: a duplicate is final and carries the stored message', async t => {
    const first = await send({ content: 'once', clientMessageId: 'r2' })
    const second = await send({ content: 'once', clientMessageId: 'r2' })
    t.match(first, { status: 201 })
    t.match(second, { status: 200, body: { success: true, duplicate: true, message: first.body.message } })
  })

  t.test('R4: the same id with another body is refused for good, and nothing is stored', async t => {
    await send({ content: 'this', clientMessageId: 'r4' })
    t.match(await send({ content: 'that', clientMessageId: 'r4' }), { status: 409, body: { code: 'IDEMPOTENCY_MISMATCH', retryable: false } })
    t.equal((await stored('r4')).length, 1)
  })

  t.test('R5: an edit that names an older rev is answered with the stored message', async t => {
    const { body } = await send({ content: 'first' })
    const path = `/api/messages/${body.message._id}`
    const expectedRev = body.message.rev
    await call('PUT', path, { token: ada.token, body: { content: 'second', expectedRev } })
    t.match(await call('PUT', path, { token: ada.token, body: { content: 'third', expectedRev } }), { status: 409, body: { code: 'CONFLICT', current: { message: 'second' } } })
  })

  t.test('R6: a final refusal is repeated in the same way', async t => {
    const refused = { status: 404, body: { success: false, code: 'USER_NOT_FOUND', retryable: false } }
    const toNobody = { receiverId: '0'.repeat(24), content: 'hello', clientMessageId: 'r6' }
    t.match(await send(toNobody), refused)
    t.match(await send(toNobody), refused)
    t.match(await send({ content: ' ' }), { status: 400, body: { code: 'VALIDATION', retryable: false } })
  })

  t.test('R7: after a refused token the same message succeeds with a new one', async t => {
    const message = { content: 'under another token', clientMessageId: 'r7' }
    t.match(await call('POST', '/api/messages', { token: `${ada.token}x`, body: { receiverId: bob.id, ...message } }), { status: 401, body: { code: 'INVALID_TOKEN' } })
    const { body } = await call('POST', '/api/auth/refresh', { body: { refreshToken: ada.refreshToken } })
    t.match(await call('POST', '/api/messages', { token: body.token, body: { receiverId: bob.id, ...message } }), { status: 201 })
    t.equal((await stored('r7')).length, 1)
  })

  t.test('R3: over the limit, every transport says when to try again, and nothing is stored', async t => {
    let answer = await send({ content: 'many', clientMessageId: 'r3-0' })
    for (let n = 1; answer.status !== 429; n++) answer = await send({ content: 'many', clientMessageId: `r3-${n}` })
    t.match(answer.body, { code: 'RATE_LIMITED', retryable: true })
    t.ok(answer.body.retryAfterMs > 0)
    t.ok(Number(answer.headers.get('retry-after')) >= 1)
    const { ask } = await connect(t, url, ada.token)
    t.match(await ask('sendDirectMessage', { receiverId: bob.id, content: 'many', clientMessageId: 'r3' }), { success: false, code: 'RATE_LIMITED', retryable: true })
    t.equal((await stored('r3')).length, 0)
  })
})
