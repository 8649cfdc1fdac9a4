import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { foldedLetters } from '../../src/lib/folded-text.ts'
import { type LogRow, revOf, seqOf } from '../../src/log/model/types.ts'
import { messageTerms } from '../../src/search/index-messages.ts'
import { matchesText, queryOf } from '../../src/search/query.ts'
import { runsOf, termsOf } from '../../src/search/words.ts'

const found = (q: string, text: string) => matchesText(queryOf({ q }), text)

/** Does the index lead from the query to the message? */
function isIndexed (q: string, message: string): boolean {
  const { needs } = queryOf({ q })
  const terms = messageTerms({ message })
  return needs.length > 0 && needs.every(({ term: wanted, begins }) =>
    terms.some(term => begins ? term.startsWith(wanted) : term === wanted))
}

/** Parts of texts in many scripts, so that words repeat and begin alike. */
const parts = fc.constantFrom(
  'tide', 'Tidal', 'tid', 'ti', 'CAFÉ', 'cafe\u0301s', 'Straße', 'strasse', 'e-mail', "don't", '3.14', '2026',
  'Ёлка', 'Ὀδυσσεύς', 'İstanbul', 'שָׁלוֹם', 'مُحَمَّد', 'في', 'می\u200cخواهم', 'दुनिया', 'தமிழ்',
  '東京都', '京都', '都', 'あ', 'カタカナー', '하', '학교', '학교에서', 'สวัสดี', 'ខ្មែរ', 'မြန်မာ', '𠮷野家',
  '𝒯ide', 'x'.repeat(30), 'x'.repeat(24), '👍🏽', '👩‍👩‍👧', '🇩🇪', '❤️', '?!', '…', '"'
)
const text = fc.oneof(
  fc.array(
    fc.tuple(parts, fc.constantFrom(' ', '', ' ', '\n', '、', ', ')), { maxLength: 8 }
  ).map(all => all.flat().join('')),
  fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })
)

t.test('words are found without case and accents, the last one by its beginning', async t => {
  for (const [q, message] of [
    ['cafe', 'Un Café, s’il vous plaît'], ['CAFÉ', 'cafe\u0301'], ['tid', 'the tides'], ['the tid', 'the tides'], [
      'strasse', 'Große Straße'
    ], ['елка', 'Ёлка'],
    ['ⓣide', 'tide'], ['coop', 'co\u00adop'], ['e-mail', 'my e mail'], [
      '"the tide"', 'of the tide'
    ], ['“the tide”', 'of the tide'], ['"the tid', 'the tides'], ['tide ?', 'tide'],
    ['京都', '東京都'], ['京', '東京都'], ['あ', 'あ!'], ['학', '학교에서'], ['학교', '학교에서'], ['👍', 'yes 👍🏽'], ['🇩🇪', 'x🇩🇪'], [
      'tide 京都', '京都tide'
    ]
  ] as const) t.ok(found(q, message), `${q} in ${message}`)
  for (const [q, message] of [
    ['ti', 'tides'], ['tid the', 'the tides'], ['ide', 'tide'], [
      '"tide the"', 'the tide'
    ], ['"the tid"', 'the tides'], ['e-mail', 'email'], ['京行', '京都に行く'],
    ['あ', 'ああ'], ['교', '학교'], ['🇩🇪', '🇩🇰'], ['?', '?'], ['tide', '']
  ] as const) t.notOk(found(q, message), `${q} in ${message}`)
})

t.test('I8 the index leads to every message that matches', async () => {
  fc.assert(fc.property(text, text, (q, message) => !found(q, message) || isIndexed(q, message)), { numRuns: 2_000 })
})

t.test('a part of a message is found in it', async () => {
  fc.assert(fc.property(text, fc.nat(), fc.nat(), (message, from, count) => {
    const runs = runsOf(foldedLetters(message))
    const some = runs.slice(from % (runs.length + 1)).slice(0, count % 4)
    const q = `"${some.map(({ text }) => text).join(' ')}"`
    return some.length === 0 || (found(q, message) && isIndexed(q, message))
  }), { numRuns: 2_000 })
})

t.test('terms are short, and runs have none of the characters that mark other terms', async t => {
  fc.assert(fc.property(text, message => {
    const terms = [...termsOf(runsOf(foldedLetters(message)))]
    return terms.every(
      term => [...term].length <= 24
    ) && runsOf(foldedLetters(message)).every(({ text }) => !/[:"\s]/.test(text))
  }))
  t.same(messageTerms({ message: 'x', isDeleted: true }), [], 'a deleted message has none')
})

t.test('filters are checked against the row', async t => {
  const senderId = new ObjectId()
  const at = new Date('2026-03-01T00:00:00.000Z')
  const row: LogRow = {
    _id: new ObjectId(),
    conversationId: 'c',
    rev: revOf(1),
    seq: seqOf(1),
    kind: 'message',
    senderId,
    message: 'www.example.org',
    messageType: 'text',
    createdAt: at,
    updatedAt: at
  }
  t.same(messageTerms(row).filter(term => term.includes(':')), [':link', `:${senderId.toHexString()}`])
  t.same(
    messageTerms({ messageType: 'video', message: 'http://' }).filter(term => term.includes(':')), [':video']
  )
})
