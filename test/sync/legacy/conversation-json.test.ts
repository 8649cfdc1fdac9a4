import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BSON, ObjectId } from 'mongodb'
import t from 'tap'
import type { ListingRow } from '../../../src/chat/directories/collections.ts'
import { messagePayload } from '../../../src/chat/payload/message-payload.ts'
import { StoredRow } from '../../../src/log/read/stored-row.ts'
import { type LogRow, revOf, seqOf } from '../../../src/log/model/types.ts'
import { writeConversationJson } from '../../../src/sync/legacy/conversation-json.ts'
import type { UserRow } from '../../../src/users/user-row.ts'

const id = fc.uint8Array({ minLength: 12, maxLength: 12 }).map(bytes => new ObjectId(Buffer.from(bytes)))
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '</script>', '\u2028', '\u0000'))
const reactors = fc.array(id, { minLength: 1, maxLength: 60 }).map(ids => ids.map(({ id }) => Buffer.from(id).toString('base64url')).join(''))
const number = fc.oneof(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }))
const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
const attachment = fc.record({
  _id: id, name: text, type: text, size: number, width: fc.nat(), height: fc.nat()
}, { requiredKeys: ['_id', 'name', 'type', 'size'] })

t.test('the text written from stored bytes is the serialisation of the payloads', async t => {
  const arbitrary = fc.record({
    users: fc.tuple(id, id),
    names: fc.tuple(text, text),
    picture: fc.option(text),
    known: fc.boolean(),
    title: fc.option(text),
    readSeq: fc.nat(5),
    rows: fc.array(fc.record({
      _id: id,
      kind: fc.constantFrom('direct' as const, 'direct' as const, 'room' as const, 'common' as const),
      seq: fc.oneof(fc.integer({ min: 1, max: 9 }), number),
      rev: number,
      mine: fc.boolean(),
      message: fc.option(fc.oneof(text, fc.string({ unit: 'binary', minLength: 30_000, maxLength: 70_000 })), { nil: undefined, freq: 20 }),
      messageType: fc.constantFrom('text' as const, 'image' as const, 'system' as const),
      clientMessageId: fc.option(text, { nil: undefined }),
      replyTo: fc.option(id, { nil: undefined }),
      replySeq: fc.option(number, { nil: undefined }),
      replySenderId: fc.option(id, { nil: undefined }),
      mentioned: fc.option(fc.array(fc.oneof(id.map(one => one.toHexString()), fc.constant('all')), { minLength: 1, maxLength: 4 }), { nil: undefined }),
      attachments: fc.option(fc.array(attachment, { minLength: 1, maxLength: 3 }), { nil: undefined }),
      editedAt: fc.option(time, { nil: undefined }),
      forwarded: fc.option(fc.constant(true as const), { nil: undefined }),
      isDeleted: fc.option(fc.constant(true as const), { nil: undefined }),
      reactions: fc.option(fc.array(fc.record({ emoji: fc.constantFrom('👍', '"', '🎉'), users: reactors }), { maxLength: 3 }), { nil: undefined }),
      listed: fc.boolean(),
      createdAt: time,
      updatedAt: time
    }), { maxLength: 5 })
  })
  fc.assert(fc.property(arbitrary, ({ users: [a, b], names, picture, known, title, readSeq, rows: given }) => {
    const listing = new ObjectId().toHexString()
    const rows = given.map(({ mine, listed, kind, seq, rev, replySeq, ...row }) => ({
      ...row,
      conversationId: `${kind}_"é`,
      kind: 'message',
      seq: seqOf(seq),
      rev: revOf(rev),
      replySeq: replySeq === undefined ? undefined : seqOf(replySeq),
      senderId: mine ? a : b,
      ...(kind === 'direct' ? { receiverId: mine ? b : a } : {}),
      ...(kind === 'room' ? { roomId: 'room' } : {}),
      ...(kind === 'direct' && listed ? { listingId: listing } : {})
    }) as LogRow)
    const users = new Map<string, UserRow>([[a.toHexString(), { _id: a, fullName: names[0], username: names[1], email: 'secret', profilePicture: picture }]])
    if (known) users.set(b.toHexString(), { _id: b, fullName: names[1], username: names[0], email: 'secret' })
    const people = { users, listings: new Map<string, ListingRow | null>([[listing, title === null ? null : { _id: new ObjectId(listing), title }]]) }
    const readSeqs = new Map([[b.toHexString(), readSeq]])
    const reads = [{ userId: b.toHexString(), seq: readSeq, at: new Date(7).toISOString() }]
    const stored = rows.map(row => new StoredRow(BSON.serialize(row, { ignoreUndefined: true })))
    assert.deepEqual(stored.map(row => row.decode()), rows.map(row => BSON.deserialize(BSON.serialize(row, { ignoreUndefined: true }))))
    const written = writeConversationJson({ rows: stored, people, readSeqs, syncTime: new Date(5), cursor: 'abc', hasMore: true, reads, reset: known, purgedSeq: seqOf(readSeq) })
    assert.equal(written.toString(), JSON.stringify({
      success: true,
      messages: stored.map(row => messagePayload(row.decode(), people, readSeqs)),
      syncTimestamp: new Date(5).toISOString(),
      count: rows.length,
      cursor: 'abc',
      hasMore: true,
      reads,
      ...(known ? { reset: true } : {}),
      ...(readSeq === 0 ? {} : { purgedSeq: readSeq })
    }))
  }), { numRuns: 200 })
  t.pass('200 random answers')
})

t.test('a stored row has the fields of its row', async t => {
  const at = new Date(1_700_000_000_123)
  const row: LogRow = {
    _id: new ObjectId(), conversationId: 'room_a', kind: 'membership', rev: revOf(2 ** 33), createdAt: at, updatedAt: at, userId: new ObjectId(), role: null
  }
  const state = new StoredRow(BSON.serialize(row))
  t.match(state, { kind: 'membership', rev: 2 ** 33, seq: undefined, senderId: undefined, updatedAt: at })
  t.same(state.decode(), row)

  const sender = new ObjectId()
  const message = new StoredRow(BSON.serialize({ ...row, kind: 'message', seq: 7, senderId: sender, isDeleted: true, deleted: 'no field of ours', reV: 1 }))
  t.match(message, { kind: 'message', seq: 7, senderId: sender.toHexString(), receiverId: undefined, isDeleted: true, rev: 2 ** 33 })
  t.throws(() => new StoredRow(BSON.serialize({ pattern: /x/ })), TypeError)
})
