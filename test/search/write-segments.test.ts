import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { revOf, seqOf } from '../../src/log/model/types.ts'
import { type SearchIndex, chunkIds, ensureSearchIndex, searchIndex, searchName } from '../../src/search/collections.ts'
import { chunksFor, findPostings } from '../../src/search/segment.ts'
import { latestMs, readTimes, seqAfter } from '../../src/search/times.ts'
import { type Change, writeSegments } from '../../src/search/write-segments.ts'
import { startApp } from '../helpers/app.ts'
import { storedTerms } from '../helpers/search-index.ts'

const { app } = await startApp(t, { SEARCH: 'off' })
const db = app.mongo.db!
await ensureSearchIndex(db)
const index: SearchIndex = {
  ...searchIndex(db),
  sizes: { segmentMax: 16, tailMax: 4, joinFactor: 3, chunkBytes: 40, seqsBetweenTimes: 3 }
}
const { directories, chunks } = index

const words = ['a', 'tide', 'tides', 'tid', 'ti', 'log', '京都', '京', '𠮷野', 'é', ':link', 'x'.repeat(24)]
const terms = fc.uniqueArray(fc.constantFrom(...words), { minLength: 0, maxLength: 6 })
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('send' as const), all: fc.array(terms, { maxLength: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('edit' as const), at: fc.nat(), terms }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('purge' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('again' as const) }) }
)
/** Several messages in a row may have the same time. */
const timeOf = (seq: number) => 1_000 * Math.floor(seq / 4)
let made = 0

t.test('I8 segments hold the terms of all messages, whatever is written, edited, deleted and purged', async t => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async steps => {
    const conversationId = `room_${made++}`
    const expected = new Map<number, string[]>()
    const earlier: Change[] = []
    let [rev, seq, purged] = [0, 0, 0]
    for (const one of steps) {
      const messages: Change['messages'] = new Map()
      const say = (at: number, terms: string[]) => {
        messages.set(at, { rev: revOf(++rev), ms: timeOf(at), terms })
        if (terms.length > 0) expected.set(at, terms.toSorted())
        else expected.delete(at)
      }
      if (one.op === 'send') for (const terms of one.all) say(++seq, terms)
      const at = one.op === 'edit' || one.op === 'purge' ? purged + 1 + one.at % Math.max(1, seq - purged) : 0
      if (one.op === 'edit' && at <= seq) say(at, one.terms)
      if (one.op === 'purge') purged = Math.min(at, seq)
      for (const seq of expected.keys()) if (seq <= purged) expected.delete(seq)
      const change = { conversationId, rev: revOf(rev), purgedSeq: seqOf(purged), isGone: false, messages }
      // Another process may come later with what is known.
      const more = one.op === 'again'
        ? earlier.slice(-3).map(change => ({ ...change, purgedSeq: seqOf(purged) }))
        : [change]
      for (const change of more) await writeSegments(index, [change])
      earlier.push(change)
    }
    await check(conversationId, expected)
    await writeSegments(index, [{ ...earlier[0]!, isGone: true }])
    if (await chunks.countDocuments() + await directories.countDocuments() > 0) throw new Error('something is left')
  }), { numRuns: 20 })
  t.pass()
})

async function check (conversationId: string, expected: Map<number, string[]>): Promise<void> {
  const stored = await storedTerms(index, conversationId)
  const lines = (terms: Map<number, string[]>) =>
    [...terms].map(([seq, terms]) => `${seq} ${terms.toSorted().join(' ')}`).sort()
  assert.deepEqual(lines(stored), lines(expected))
  const { segments } = (await directories.findOne({ _id: conversationId })) ?? { segments: [] }
  const ids = segments.flatMap(segment => chunkIds(conversationId, segment))
  assert.equal(await chunks.countDocuments(), ids.length, 'no chunk is left over')
  for (const [at, segment] of segments.entries()) {
    if (segment.first > segment.last || segment.first <= (segments[at - 1]?.last ?? 0)) throw new Error('not in order')
    const inside = [...expected].filter(([seq]) => seq >= segment.first && seq <= segment.last)
    const times = readTimes(segment.times)
    for (const [seq] of inside) {
      if (latestMs({ times, lastMs: segment.lastMs }, seq) < timeOf(seq)) throw new Error('sent later than it may')
      if (seqAfter(times, timeOf(seq)) <= seq) throw new Error('left out by its time')
    }
    const bytes = new Map((await chunks.find({ _id: { $in: chunkIds(conversationId, segment) } }).toArray())
      .map(({ _id, postings }) => [_id, postings]))
    for (const term of words) {
      for (const begins of [false, true]) {
        const { from, to } = chunksFor(segment.starts.split(' '), { term, begins })
        const found = chunkIds(conversationId, segment).slice(from, to + 1)
          .flatMap(id => findPostings(bytes.get(id)!, segment.first, { term, begins })).flat()
        const wanted = inside.filter(([, terms]) => terms.some(one => begins ? one.startsWith(term) : one === term))
        const seqs = new Set(wanted.map(([seq]) => seq))
        assert.deepEqual(new Set(found), seqs, term)
      }
    }
  }
}

t.test('two nodes that index the same conversation at once lose nothing', async t => {
  const message = (seq: number) => [seq, { rev: revOf(seq), ms: timeOf(seq), terms: ['tide', `w${seq}`] }] as const
  const change = (to: number): Change => ({
    conversationId: 'room_two',
    rev: revOf(to),
    purgedSeq: seqOf(0),
    isGone: false,
    messages: new Map(Array.from({ length: to }, (_, at) => message(at + 1)))
  })
  await writeSegments(index, [change(1)])
  await Promise.all(Array.from({ length: 10 }, (_, at) => writeSegments(index, [change(at + 2)])))
  t.strictSame(new Set((await storedTerms(index, 'room_two')).keys()), new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]))
})

t.test('an index of another form is dropped', async t => {
  await db.collection('search').insertOne({ k: ['tide'] })
  const positions = db.collection<{ _id: string }>('positions')
  await positions.insertMany(['search2|room_a', 'webhooks|room_a', `${searchName}|room_a`].map(_id => ({ _id })))
  await ensureSearchIndex(db)
  t.strictSame((await db.listCollections({ name: /^search/ }).toArray()).map(({ name }) => name).sort(),
    [`${searchName}.chunks`, `${searchName}.directories`])
  t.strictSame((await positions.find({ _id: /room_a$/ }).toArray()).map(({ _id }) => _id).sort(),
    [`${searchName}|room_a`, 'webhooks|room_a'])
})
