import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { type Head, type LogRow, revOf, seqOf } from '../../src/log/types.ts'
import { Segments, byTime } from '../../src/sync/segments.ts'

const conversationId = 'dm_a_b'

/** A conversation whose rows move to the end when they change, as in the log. */
class Log {
  rows: LogRow[] = []
  clock = 0

  head (): Head {
    return { _id: conversationId, kind: 'direct', headRev: revOf(this.rows.at(-1)?.rev ?? 0), headSeq: seqOf(0), clock: new Date(this.clock), gcFloor: revOf(0), memberCount: 2, createdAt: new Date(0) }
  }

  /** Changes a row, or adds one where there is none. */
  change (index: number): void {
    const at = new Date(++this.clock)
    const rev = revOf(this.head().headRev + 1)
    const [row] = this.rows.splice(index, 1)
    this.rows.push({ ...(row ?? { _id: new ObjectId(), conversationId, kind: 'message', createdAt: at }), rev, updatedAt: at })
  }

  scan (since: number, limit: number) {
    const rows = this.rows.filter(row => row.updatedAt.getTime() > since).slice(0, limit)
    return { rows, hasMore: rows.length === limit }
  }
}

t.test('what is found is what a scan would find, or what it misses is still to come', async t => {
  let hits = 0
  fc.assert(fc.property(fc.array(fc.oneof(
    { weight: 1, arbitrary: fc.record({ act: fc.constant('change' as const), index: fc.nat(30) }) },
    { weight: 12, arbitrary: fc.record({ act: fc.constant('ask' as const), since: fc.nat(20), limit: fc.integer({ min: 1, max: 6 }), between: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.array(fc.nat(30), { maxLength: 2 })) }) }
  ), { maxLength: 60 }), steps => {
    const log = new Log()
    for (let i = 0; i < 12; i++) log.change(99)
    const segments = new Segments(byTime)
    for (const step of steps) {
      if (step.act === 'change') {
        log.change(step.index)
        continue
      }
      const head = log.head()
      const found = segments.find(head, step.since, step.limit)
      if (found === undefined) {
        // Changes may land between the head and the scan.
        for (const index of step.between) log.change(index)
        segments.keep(head, step.since, log.scan(step.since, step.limit))
        continue
      }
      hits++
      const end = found.hasMore ? found.rows.at(-1)!.updatedAt.getTime() : head.clock.getTime()
      const wanted = log.rows.filter(row => row.updatedAt.getTime() > step.since && row.updatedAt.getTime() <= end)
      for (const row of wanted) assert.ok(found.rows.some(({ _id, rev }) => _id.equals(row._id) && rev === row.rev), 'everything up to where the client goes on')
      assert.ok(found.rows.length <= step.limit)
    }
  }), { numRuns: 300 })
  t.ok(hits > 100)
})

t.test('nothing is served behind another head, nor before the time that was scanned', async t => {
  const log = new Log()
  for (let i = 0; i < 5; i++) log.change(99)
  const segments = new Segments(byTime)
  segments.keep(log.head(), 1, log.scan(1, 10))
  t.match(segments.find(log.head(), 2, 10)?.rows.length, 3)
  t.equal(segments.find(log.head(), 0, 10), undefined)
  log.change(0)
  t.equal(segments.find(log.head(), 2, 10), undefined)
})

t.test('pages that follow each other are one segment', async t => {
  const log = new Log()
  for (let i = 0; i < 10; i++) log.change(99)
  const segments = new Segments(byTime)
  segments.keep(log.head(), 0, log.scan(0, 4))
  t.equal(segments.find(log.head(), 0, 8), undefined)
  segments.keep(log.head(), 4, log.scan(4, 4))
  t.equal(segments.find(log.head(), 0, 8)?.rows.length, 8)
  t.equal(segments.find(log.head(), 0, 11), undefined)
  segments.keep(log.head(), 8, log.scan(8, 4))
  t.match(segments.find(log.head(), 0, 11), { hasMore: false })
})
