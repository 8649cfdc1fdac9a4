import t from 'tap'
import { setBlock } from '../../src/chat/conversations/block-user.ts'
import { changeSettings } from '../../src/chat/conversations/change-settings.ts'
import { sendTo } from '../../src/chat/messages/send-to.ts'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { RepeatedBodies } from '../../src/sync/repeated-bodies.ts'
import { startApp } from '../helpers/app.ts'
import { cursorsOf } from '../helpers/follower.ts'
import { catchUp, newPerson } from '../helpers/people.ts'

interface Answer { conversations: Array<{ conversationId: string }> }

/** A client that polls sends the same body again and again. */

t.test('a body is taken from the cache for the same user and the very same bytes only', t => {
  const bodies = new RepeatedBodies()
  const bytes = Buffer.from(JSON.stringify({ cursors: { self: 'x'.repeat(2_000) } }))
  const body = JSON.parse(bytes.toString()) as object
  t.equal(bodies.get('a', bytes), undefined)
  bodies.set('a', bytes, body)
  const changed = Buffer.from(bytes)
  changed[100]!++
  t.equal(bodies.get('a', Buffer.from(bytes)), body)
  t.equal(bodies.get('b', bytes), undefined)
  t.equal(bodies.get('a', changed), undefined)
  t.equal(bodies.get('a', bytes.subarray(1)), undefined)
  bytes.fill(0)
  t.equal(bodies.get('a', bytes), undefined, 'the cache does not share the bytes of the request')
  t.end()
})

t.test('the same body brings whatever is new, and is refused as before', async t => {
  const test = await startApp(t)
  const { chat } = test.app
  const [me, ...others] = await Promise.all(Array.from({ length: 16 }, () => newPerson(test)))
  const send = async (content: string) => await sendTo(chat, others[3]!.identity, { receiverId: me!.id, content })
  for (const other of others) await sendTo(chat, other.identity, { receiverId: me!.id, content: 'first' })
  const url = `${test.url}/api/sync`
  const poll = async (body: string, headers: object = {}) => {
    const own = { authorization: `Bearer ${me!.token}`, 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', body, headers: { ...own, ...headers } })
    return { status: response.status, body: await response.json() as Answer }
  }
  const due = async (body: string) => (await poll(body)).body.conversations.map(({ conversationId }) => conversationId)
  const state = await catchUp(test, me!)
  const body = JSON.stringify({ cursors: cursorsOf(state) })
  t.ok(body.length > 1_024)
  for (let time = 0; time < 3; time++) t.same(await due(body), [], 'nothing is new')
  t.match(await poll(body, { 'content-encoding': 'gzip' }), { status: 415 }, 'its headers are checked each time')
  t.match(await poll(body.replace('"cursors"', '"Cursors"')), { status: 400 })
  t.match(await poll(body.replace(/.(?="\}\}$)/, '_')), { status: 400 }, 'one letter of a cursor is another')

  await sendTo(chat, others[1]!.identity, { receiverId: others[2]!.id, content: 'between others' })
  t.same(await due(body), [], 'a commit elsewhere changes nothing')
  await send('second')
  const id = directId(me!.id, others[3]!.id)
  for (let time = 0; time < 2; time++) t.same(await due(body), [id], 'until the client has taken it')

  const next = JSON.stringify({ cursors: cursorsOf(await catchUp(test, me!, state)) })
  for (let time = 0; time < 2; time++) t.same(await due(next), [])
  await changeSettings(chat, me!.identity, id, { clearThroughSeq: 2 })
  t.ok((await due(next)).includes(id), 'a narrower view')
  await setBlock(chat, me!.identity, others[5]!.id, true)
  t.ok((await due(next)).includes('self'), 'a change of the self log')
})
