import t from 'tap'
import { searchMessages } from '../../src/chat/messages/search-messages.ts'
import { startApp } from '../helpers/app.ts'
import { newPerson } from '../helpers/people.ts'

t.test('a call searches a bounded number of characters, and the following calls miss nothing', async t => {
  const test = await startApp(t)
  const [ann, bob] = [await newPerson(test), await newPerson(test)]
  const long = (index: number) => `needle ${index} ${'x'.repeat(3_900)}`
  for (let index = 0; index < 10; index++) await test.call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: long(index) } })
  const context = { ...test.app.chat, limits: { ...test.app.chat.limits, searchCharsMax: 10_000 } }
  const found: string[] = []
  let calls = 0
  for (let cursor: string | undefined; ;) {
    const page = await searchMessages(context, bob.identity, { q: 'needle', ...(cursor === undefined ? {} : { cursor }) })
    calls++
    t.equal(page.hasMore, page.cursor !== null)
    t.ok(page.messages.length <= 3, 'three messages are 10,000 characters')
    found.push(...page.messages.map(({ message }) => message))
    if (page.cursor === null) break
    cursor = page.cursor
  }
  t.strictSame(found, Array.from({ length: 10 }, (_, index) => long(9 - index)))
  t.ok(calls >= 4)
  const { limits } = test.app.chat
  t.equal((await searchMessages({ ...context, limits: { ...limits, searchCharsMax: 1 } }, bob.identity, { q: 'needle' })).messages.length, 1, 'every call gets on')
  t.equal((await searchMessages({ ...context, limits: { ...limits, searchCharsMax: 0 } }, bob.identity, { q: 'needle' })).messages.length, 10, '0 turns the bound off')
})

t.test('searches count against the user\'s limit, and malformed ones do not', async t => {
  const test = await startApp(t, { RATE_LIMIT_SEARCH: '2' })
  const [ann, bob] = [await newPerson(test), await newPerson(test)]
  const look = async (token: string, query: string) => await test.call('GET', `/api/messages/search?${query}`, { token })
  for (const query of ['q=', 'q=x&cursor=~', 'q=x&limit=0']) t.equal((await look(ann.token, query)).status, 400)
  for (let call = 0; call < 2; call++) t.equal((await look(ann.token, 'q=x')).status, 200)
  const refused = await look(ann.token, 'q=x')
  t.match(refused, { status: 429, body: { success: false, code: 'RATE_LIMITED', retryable: true } })
  t.ok(refused.body.retryAfterMs > 0 && Number(refused.headers.get('retry-after')) >= 1)
  t.equal((await look(bob.token, 'q=x')).status, 200, 'others are not held back')
})
