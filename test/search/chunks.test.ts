import t from 'tap'
import { Chunks } from '../../src/search/chunks.ts'
import { chunkId, ensureSearchIndex, searchIndex } from '../../src/search/collections.ts'
import { startApp } from '../helpers/app.ts'

const { app: { mongo } } = await startApp(t, { SEARCH: 'off' })
const index = searchIndex(mongo.db!)
await ensureSearchIndex(mongo.db!)

t.test('a chunk is read once, and a chunk that is gone is reported missing', async t => {
  const ids = [1, 2, 3].map(number => chunkId('room_x', number, 0))
  const [first, second, gone] = ids as [string, string, string]
  await index.chunks.insertMany([first, second].map(_id => ({ _id, postings: Buffer.from(_id) })))
  const chunks = new Chunks(index)
  let queries = 0
  const giveWay = async () => { queries++ }
  t.strictSame(await chunks.of([first], giveWay), new Map([[first, Buffer.from(first)]]))
  t.strictSame(await chunks.of(ids, giveWay), new Map([[first, Buffer.from(first)], [second, Buffer.from(second)]]))
  t.equal(queries, 2)
  t.equal((await chunks.of([second, first], giveWay)).size, 2)
  t.equal(queries, 2, 'both are known')
  await index.chunks.insertOne({ _id: gone, postings: Buffer.from(gone) })
  t.equal((await chunks.of([gone], giveWay)).size, 1, 'that it was gone is not remembered')
})
