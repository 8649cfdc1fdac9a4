import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import type { ListingRow, UserRow } from '../../src/chat/collections.ts'
import { directPayload } from '../../src/chat/payload.ts'
import { type LogRow, revOf, seqOf } from '../../src/log/types.ts'
import { writeSync } from '../../src/sync/legacy-json.ts'

const id = fc.uint8Array({ minLength: 12, maxLength: 12 }).map(bytes => new ObjectId(Buffer.from(bytes)))
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '</script>', '\u2028', '\u0000'))
const reactors = fc.array(id, { minLength: 1, maxLength: 60 }).map(ids => ids.map(({ id }) => Buffer.from(id).toString('base64url')).join(''))
const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })

t.test('the text of an answer is what serialising its payloads would give', async t => {
  const arbitrary = fc.record({
    users: fc.tuple(id, id),
    names: fc.tuple(text, text),
    picture: fc.option(text),
    known: fc.boolean(),
    title: fc.option(text),
    readSeq: fc.nat(5),
    rows: fc.array(fc.record({
      _id: id,
      seq: fc.integer({ min: 1, max: 9 }),
      rev: fc.integer({ min: 1, max: 99 }),
      mine: fc.boolean(),
      message: fc.option(text, { nil: undefined }),
      messageType: fc.constantFrom('text' as const, 'image' as const, 'system' as const),
      clientMessageId: fc.option(text, { nil: undefined }),
      replyTo: fc.option(id, { nil: undefined }),
      editedAt: fc.option(time, { nil: undefined }),
      isDeleted: fc.option(fc.constant(true as const), { nil: undefined }),
      reactions: fc.option(fc.array(fc.record({ emoji: fc.constantFrom('👍', '"', '🎉'), users: reactors }), { maxLength: 3 }), { nil: undefined }),
      listed: fc.boolean(),
      createdAt: time,
      updatedAt: time
    }), { maxLength: 5 })
  })
  fc.assert(fc.property(arbitrary, ({ users: [a, b], names, picture, known, title, readSeq, rows: given }) => {
    const listing = new ObjectId().toHexString()
    const rows = given.map(({ mine, listed, seq, rev, ...row }) => ({
      ...row,
      conversationId: 'dm_a_b',
      kind: 'message',
      seq: seqOf(seq),
      rev: revOf(rev),
      senderId: mine ? a : b,
      receiverId: mine ? b : a,
      ...(listed ? { listingId: listing } : {})
    }) as LogRow)
    const users = new Map<string, UserRow>([[a.toHexString(), { _id: a, fullName: names[0], username: names[1], email: 'secret', profilePicture: picture }]])
    if (known) users.set(b.toHexString(), { _id: b, fullName: names[1], username: names[0], email: 'secret' })
    const people = { users, listings: new Map<string, ListingRow | null>([[listing, title === null ? null : { _id: new ObjectId(listing), title }]]) }
    const readSeqs = new Map([[b.toHexString(), readSeq]])
    const reads = [{ userId: b.toHexString(), seq: readSeq, at: new Date(7).toISOString() }]
    for (let round = 0; round < 2; round++) {
      const written = writeSync({ rows, people, readSeqs, time: new Date(5), cursor: 'abc', hasMore: true, reads, reset: known })
      assert.deepEqual(JSON.parse(written), JSON.parse(JSON.stringify({
        success: true,
        messages: rows.map(row => directPayload(row, people, readSeqs)),
        syncTimestamp: new Date(5).toISOString(),
        count: rows.length,
        cursor: 'abc',
        hasMore: true,
        reads,
        ...(known ? { reset: true } : {})
      })))
    }
  }), { numRuns: 200 })
  t.pass('200 random answers')
})
