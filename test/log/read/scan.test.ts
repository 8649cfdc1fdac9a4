import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Document, MongoClient, MongoNetworkError, ObjectId } from 'mongodb'
import t from 'tap'
import { type LogCollections, ensureLogIndexes, indexNames, logCollections } from '../../../src/log/model/collections.ts'
import { changesAfter, messagesBefore } from '../../../src/log/read/page.ts'
import { scanLog } from '../../../src/log/read/scan.ts'
import { type LogRow, revOf, seqOf } from '../../../src/log/model/types.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'tidelog-scan-'))
const engine = await startEmbeddedMongo({ dataDir })
const client = await MongoClient.connect(engine.uri, { readConcern: { level: 'majority' } })
t.teardown(async () => {
  await client.close()
  await engine.stop()
  await rm(dataDir, { recursive: true, force: true })
})

const at = new Date(1_700_000_000_000)
const scan = { filter: { conversationId: 'a' }, sort: { rev: 1 }, hint: indexNames.byRev, limit: 3 }

async function logOf (name: string, messages: readonly string[]): Promise<LogCollections> {
  const collections = logCollections(client.db(name))
  await ensureLogIndexes(collections)
  const rows = messages.map((message, index): LogRow => ({
    _id: new ObjectId(), conversationId: 'a', kind: 'message', rev: revOf(index + 1), seq: seqOf(index + 1), message, createdAt: at, updatedAt: at
  }))
  for (const row of rows) await collections.rows.insertOne(row)
  return collections
}

t.test('a page has the rows that the driver would read', async t => {
  const { rows: log } = await logOf('equal', ['one', 'two', 'three', 'four'])
  const { rows, isTruncated } = await scanLog(log, scan)
  t.same(rows.map(row => row.decode()), await log.find({}).sort({ rev: 1 }).limit(3).toArray())
  t.equal(isTruncated, false)
})

t.test('if the rows do not fit one reply, the page is shorter, says hasMore, and leaves no cursor open', async t => {
  const collections = await logOf('cut', ['a', 'b', 'c'].map(letter => letter.repeat(7 << 20)))
  const first = await changesAfter(collections, 'a', revOf(0), 3)
  t.same({ revs: first.rows.map(({ rev }) => rev), hasMore: first.hasMore }, { revs: [1, 2], hasMore: true })
  const second = await changesAfter(collections, 'a', revOf(2), 3)
  t.same({ revs: second.rows.map(({ rev }) => rev), hasMore: second.hasMore }, { revs: [3], hasMore: false })
  const newest = await messagesBefore(collections, 'a', undefined, 3)
  t.same({ seqs: newest.rows.map(({ seq }) => seq), hasMore: newest.hasMore }, { seqs: [3, 2], hasMore: true })
  for (;;) {
    const { metrics } = await client.db().admin().command({ serverStatus: 1 })
    if (metrics.cursor.open.total === 0) break
  }
  t.pass('no cursor is open')
})

t.test('a failed read of a page is tried once more, and a second failure is an error', async t => {
  const { rows } = await logOf('twice', ['one'])
  let calls = 0
  const failing = (failures: number) => ({
    collectionName: rows.collectionName,
    readConcern: rows.readConcern,
    db: {
      command: async (command: Document, options: object) => {
        if (++calls <= failures) throw new MongoNetworkError('lost')
        return await rows.db.command(command, options)
      }
    }
  }) as unknown as LogCollections['rows']
  t.equal((await scanLog(failing(1), scan)).rows.length, 1)
  t.equal(calls, 2)
  calls = 0
  await t.rejects(scanLog(failing(2), scan), MongoNetworkError)
  t.equal(calls, 2)
})
