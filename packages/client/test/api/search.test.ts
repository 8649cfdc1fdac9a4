import fc from 'fast-check'
import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { matchesText, queryOf } from '../../../../src/search/query.ts'
import { hitsIn, matcherOf } from '../../src/pure/search.ts'
import type { Row } from '../../src/pure/state.ts'
import type { Finding } from '../../src/types.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

const row = (text: string): Row => ({
  conversationId: 'dm_a_b',
  id: 'x',
  seq: 1,
  rev: 1,
  senderId: 'a',
  text,
  type: 'text',
  createdAt: 5,
  isDeleted: false,
  reactions: []
})

t.test('messages on the device are matched as the server matches them', async () => {
  const word = fc.constantFrom(
    'tide', 'Tidal', 'tid', 'ti', 'CAFÉ', 'cafe\u0301s', 'Straße', 'strasse', 'e-mail', "don't", '3.14', 'Ёлка',
    'İstanbul', 'שָׁלוֹם', 'مُحَمَّد', '東京都', '京都', '都', 'あ', 'カタカナ', '학교에서', '하', 'สวัสดี', '👍🏽', '🇩🇪', '?!', '"', 'ø'
  )
  const text = fc.array(word, { maxLength: 4 }).map(words => words.join(' '))
  fc.assert(fc.property(text, text, (q, message) =>
    matcherOf({ text: q })(row(message)) === matchesText(queryOf({ q }), message)))
})

t.test('the places of the words are marked in the text as it is written', async t => {
  const marked = (text: string, query: string) => hitsIn(text, query).map(([from, to]) => text.slice(from, to))
  t.same(marked('The CAFÉ, cafés and decafe', 'cafe'), ['CAFÉ', 'caf\u00e9'])
  t.same(marked('東京都の天気', '京都'), ['京都'])
  t.same(marked('Straße', 'strasse'), ['Straße'])
  t.same(marked('well-known e-mail', '"e-mail"'), ['e', 'mail'])
  t.same(marked('nothing', ''), [])
})

t.test('a search first finds what is on the device, then what the server finds; offline only the first', async t => {
  const { url } = await startApp(t)
  let isDown = false
  const ada = await newClient(t, url, {
    live: false,
    fetch: async (...given) => {
      if (isDown) throw new TypeError('fetch failed')
      return await fetch(...given)
    }
  })
  const bob = await newClient(t, url)
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  for (const text of ['an old tide', 'nothing', 'a new tide']) await bob.direct(ada.id).send(text)
  await when(ada.conversations, list => list.some(({ lastMessage }) => lastMessage?.text === 'a new tide'))
  const texts = (finding: Finding) => finding.messages.get().map(({ text }) => text)
  const found = await ada.find({ text: 'tid', limit: 1 })
  t.same(texts(found), ['a new tide', 'an old tide'], 'before the server answers')
  await when(found.state, ({ loading, hasMore }) => !loading && hasMore)
  await found.loadMore()
  await when(found.state, ({ loading, hasMore }) => !loading && !hasMore)
  t.same(texts(found), ['a new tide', 'an old tide'])
  const filtered = await ada.find({ text: 'tide', before: Date.now() - 86_400_000 })
  await when(filtered.state, ({ loading }) => !loading)
  t.same(texts(filtered), [])
  isDown = true
  const offline = await ada.find({ text: 'TIDE' })
  t.match(await when(offline.state, ({ loading }) => !loading), { error: { code: 'OFFLINE' } })
  t.same(texts(offline), ['a new tide', 'an old tide'])
})
