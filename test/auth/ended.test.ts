import { request } from 'node:http'
import t from 'tap'
import { setActive } from '../../src/auth/activate.ts'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { startApp } from '../helpers/app.ts'
import { newPerson } from '../helpers/people.ts'
import { connect } from '../helpers/sockets.ts'
import { hs256 } from '../helpers/tokens.ts'

const secret = 'a secret of sixteen characters'
const server = await startApp(t, { JWT_SECRET: secret, RATE_LIMIT_SENDS: '0' })
const { app, url, call, register } = server
const seconds = () => Math.floor(Date.now() / 1_000)

/** The last seq of what two users said to each other. */
const lastSeq = async (a: string, b: string) => (await app.chat.log.head(directId(a, b)))?.headSeq ?? 0

/** Settles when so many calls wait. */
async function untilWaiting (count: number): Promise<void> {
  while (app.sync.longPolls.size !== count) await new Promise(resolve => setImmediate(resolve))
}

t.test('operations that a socket has queued are not done after its session has ended', async t => {
  const admin = await newPerson(server)
  const ends = {
    logout: async (token: string) => await call('POST', '/api/auth/logout', { token, body: {} }),
    'a logout everywhere': async (token: string) => await call('POST', '/api/auth/logout', { token, body: { everywhere: true } }),
    deactivation: async (_token: string, id: string) => {
      await setActive(app.accounts, { ...admin.identity, isAdmin: true }, id, false)
    }
  }
  for (const [how, end] of Object.entries(ends)) {
    const name = how.replaceAll(' ', '-')
    const [sender, receiver, witness] = [await register(`${name}-s`), await register(`${name}-r`), await register(`${name}-w`)]
    const { socket, gone } = await connect(t, url, sender.token)
    for (let i = 0; i < 2_500; i++) socket.emit('sendDirectMessage', { receiverId: receiver.id, content: `message ${i}`, clientMessageId: `m${i}` }, () => {})
    while (await lastSeq(sender.id, receiver.id) === 0) await new Promise(resolve => setImmediate(resolve))
    await end(sender.token, sender.id)
    const atEnd = await lastSeq(sender.id, receiver.id)
    await gone
    // Two more commits: what had begun before has been stored by then.
    for (const content of ['one', 'two']) await call('POST', '/api/messages', { token: witness.token, body: { receiverId: receiver.id, content } })
    t.ok(atEnd < 2_500, `${how} comes before the last of them`)
    t.equal(await lastSeq(sender.id, receiver.id), atEnd, `nothing is stored after ${how}`)
  }
})

t.test('a long poll ends with its session, and tells nothing after that', async t => {
  const [waiter, other] = [await register('waiter'), await register('other')]
  const login = async () => (await call('POST', '/api/auth/login', { body: { username: 'waiter', password: 'password-1' } })).body.token as string
  /** A call that waits; its answer is wrapped, or it would be waited for. */
  const poll = async (token: string) => {
    const { conversations } = (await call('POST', '/api/sync', { token, body: {} })).body
    const cursors = Object.fromEntries(conversations.map((one: { conversationId: string, cursor: string }) => [one.conversationId, one.cursor]))
    const before = app.sync.longPolls.size
    const answer = call('POST', '/api/sync', { token, body: { cursors, waitMs: 25_000 } })
    await untilWaiting(before + 1)
    return { answer }
  }
  const refused = { status: 401, body: { success: false, code: 'INVALID_TOKEN' } }

  await t.test('after a logout of this session, while another session of the user continues', async t => {
    const [one, two] = [await login(), await login()]
    const [first, second] = [await poll(one), await poll(two)]
    await call('POST', '/api/auth/logout', { token: one, body: {} })
    t.match(await first.answer, refused)
    t.match(await second.answer, { status: 200, body: { conversations: [] } })
  })

  await t.test('after a logout everywhere', async t => {
    const [one, two] = [await login(), await login()]
    const polls = [await poll(one), await poll(two)]
    await call('POST', '/api/auth/logout', { token: two, body: { everywhere: true } })
    for (const { answer } of polls) t.match(await answer, refused)
  })

  await t.test('when its token expires', async t => {
    const token = hs256({ id: waiter.id, sid: 'short', iat: seconds() + 1, exp: seconds() + 2 }, secret)
    t.match(await (await poll(token)).answer, refused)
  })

  await t.test('even if a change comes at the same moment', async t => {
    const token = await login()
    const { answer } = await poll(token)
    const [, sent] = await Promise.all([
      call('POST', '/api/auth/logout', { token, body: {} }),
      call('POST', '/api/messages', { token: other.token, body: { receiverId: waiter.id, content: 'late' } })
    ])
    t.equal(sent.status, 201)
    const { status, body } = await answer
    t.ok(status === 401 || body.conversations.length > 0, 'told before the end, or refused')
  })
})

t.test('a request is refused if its session ends while its body is still arriving', async t => {
  const [sender, receiver] = [await register('slow'), await register('patient')]
  const body = JSON.stringify({ receiverId: receiver.id, content: 'too late' })
  const asked = request(`${url}/api/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${sender.token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), expect: '100-continue' }
  })
  const answered = new Promise<number | undefined>((resolve, reject) => {
    asked.on('response', response => { response.resume(); resolve(response.statusCode) }).on('error', reject)
  })
  asked.flushHeaders()
  await new Promise(resolve => { asked.once('continue', resolve) })
  asked.write(body.slice(0, 10))
  t.match(await call('POST', '/api/auth/logout', { token: sender.token, body: {} }), { status: 200 })
  asked.end(body.slice(10))
  t.equal(await answered, 401)
  t.equal(await lastSeq(sender.id, receiver.id), 0)
})

t.test('a push that is under way stops when its session ends', async t => {
  const [sender, receiver] = [await register('pusher'), await register('pushed')]
  const push = (from: number) => call('POST', '/api/sync/push', {
    token: sender.token,
    body: { operations: Array.from({ length: 100 }, (_, i) => ({ opId: `${from + i}`, type: 'send', receiverId: receiver.id, content: `${from + i}`, clientMessageId: `p${from + i}` })) }
  })
  const pushes = Array.from({ length: 20 }, (_, i) => push(i * 100))
  while (await lastSeq(sender.id, receiver.id) === 0) await new Promise(resolve => setImmediate(resolve))
  await call('POST', '/api/auth/logout', { token: sender.token, body: {} })
  const atEnd = await lastSeq(sender.id, receiver.id)
  const answers = await Promise.all(pushes)
  t.equal(await lastSeq(sender.id, receiver.id), atEnd)
  const stored = answers.flatMap(({ status, body }) => status === 200 ? body.results as Array<{ success: boolean, code?: string }> : [])
  t.equal(stored.filter(({ success }) => success).length, atEnd, 'what was answered as stored is stored, and nothing else')
  t.ok(stored.every(({ success, code }) => success || code === 'INVALID_TOKEN'))
})
