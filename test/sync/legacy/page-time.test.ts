import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { type Member, revOf, seqOf } from '../../../src/log/model/types.ts'
import { readRangeSince } from '../../../src/sync/legacy/page-time.ts'

t.test('successive pages show every read message, however often the read position moves meanwhile', async t => {
  const arbitrary = fc.record({
    moves: fc.array(fc.record({ seqs: fc.integer({ min: 1, max: 3 }), ms: fc.integer({ min: 1, max: 5 }) }), { maxLength: 12 }),
    kept: fc.integer({ min: 1, max: 8 }),
    from: fc.nat(20),
    pages: fc.array(fc.nat(10), { maxLength: 6 })
  })
  fc.assert(fc.property(arbitrary, ({ moves, kept, from, pages }) => {
    let [seq, ms] = [0, 0]
    const trail = moves.map(move => ({ seq: seqOf(seq += move.seqs), at: new Date(ms += move.ms) }))
    const last = trail.at(-1)
    const joinedAt = new Date(0)
    const member: Member = {
      _id: 'a|b',
      conversationId: 'a',
      userId: new ObjectId(),
      role: 'member',
      joinedSeq: seqOf(0),
      joinedRev: revOf(1),
      joinedAt,
      readSeq: last?.seq ?? seqOf(0),
      ...(last === undefined ? {} : { readAt: last.at, readTrail: trail.slice(-kept) })
    }
    const told = new Set<number>()
    let since = from
    for (const page of [...pages, null]) {
      const until = page === null ? null : new Date(since + page)
      const range = readRangeSince(member, new Date(since), until)
      since = until?.getTime() ?? since
      for (let one = (range?.after ?? 0) + 1; one <= (range?.through ?? 0); one++) told.add(one)
    }
    const before = trail.filter(({ at }) => at.getTime() <= from).at(-1)?.seq ?? 0
    assert.deepEqual(Array.from({ length: seq - before }, (_, index) => before + 1 + index).filter(one => !told.has(one)), [])
  }), { numRuns: 1_000 })
  t.pass('1,000 random read positions')
})
