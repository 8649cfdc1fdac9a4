import { ObjectId } from 'mongodb'
import t from 'tap'
import { type Head, revOf } from '../../src/log/model/types.ts'
import { type IndexedMessage, ensureSearchIndex } from '../../src/search/collections.ts'
import type { OwnConversation } from '../../src/search/own-conversations.ts'
import { comparePlaces } from '../../src/search/place.ts'
import { findPostings } from '../../src/search/postings.ts'
import { queryOf } from '../../src/search/query.ts'
import { startApp } from '../helpers/app.ts'

const dayMs = 86_400_000
const nowMs = Date.UTC(2026, 5, 1)
const bounds = { postingsMax: 100_000, seeksMax: 100_000, probeMax: 2, windowMax: 3 }

const { app: { messageSearch: { index } } } = await startApp(t, { SEARCH: 'off' })
await ensureSearchIndex(index)

/** Messages of one conversation that all have the words `tide` and `log`, sent at these times. */
async function conversation (code: string, times: readonly number[]): Promise<OwnConversation> {
  const u = new ObjectId()
  await index.insertMany(times.map((time): IndexedMessage =>
    ({ _id: new ObjectId(), c: code, k: ['tide', 'tid*', 'log'], t: new Date(time), u, r: revOf(1) })))
  return { head: { _id: code } as Head, view: {} as OwnConversation['view'], code, lastMs: Math.max(...times) }
}

const burst = (endMs: number, count: number) => Array.from({ length: count }, (_, n) => endMs - n * 1_000)

t.test('words of bursts that are years apart are found once each and in order, in few steps', async t => {
  const own = [
    await conversation('a', [...burst(nowMs, 2), ...burst(nowMs - 4_000 * dayMs, 30)]),
    await conversation('b', burst(nowMs - 300 * dayMs, 60)),
    await conversation('c', [nowMs, ...burst(nowMs - 11 * dayMs, 40)])
  ]
  for (const q of ['tide', '"log" tide', 'tide "log"']) {
    const places: Array<{ time: number, id: string }> = []
    let reads = 0
    for await (const { postings } of findPostings(index, own, queryOf({ q }), undefined, bounds, async () => {
      if (++reads > 400) throw new Error('the search does not end')
    })) {
      for (const { t, _id } of postings) places.push({ time: t.getTime(), id: _id.toHexString() })
    }
    t.equal(new Set(places.map(({ id }) => id)).size, 133, q)
    t.same(places, places.toSorted(comparePlaces), q)
  }
})
