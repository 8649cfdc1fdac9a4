import fc from 'fast-check'
import t from 'tap'
import { CursorCodec } from '../../../src/log/read/cursor.ts'
import { revOf } from '../../../src/log/model/types.ts'

const key = Buffer.alloc(32, 7)
const codec = new CursorCodec(key, 0xfedcba98)
/** Has given out and checked nothing yet, and so remembers nothing. */
const another = () => new CursorCodec(key, 0xfedcba98)
const user = 'a'.repeat(24)
const position = fc.record({ rev: fc.integer({ min: 0, max: 2 ** 48 - 1 }).map(revOf), clock: fc.integer({ min: 0, max: 2 ** 48 - 1 }), generation: fc.integer({ min: 0, max: 2 ** 52 - 1 }) })
const place = { rev: revOf(5), clock: 1_700_000_000_000, generation: 7 * 2 ** 32 + 7 }

t.test('a cursor encodes its position in 44 characters', async t => {
  fc.assert(fc.property(position, value => {
    const cursor = codec.encode(user, 'room_x', value)
    t.match(cursor, /^[\w-]{44}$/)
    for (const one of [codec, another()]) {
      t.same(one.decode(user, 'room_x', cursor), { ...value, isFromOtherEpoch: false })
      t.equal(one.encode(user, 'room_x', value), cursor)
    }
  }))
})

t.test('a cursor of another user, conversation or key is refused', async t => {
  const cursor = codec.encode(user, 'room_x', place)
  t.equal(codec.decode('b'.repeat(24), 'room_x', cursor), null)
  t.equal(codec.decode(user, 'room_y', cursor), null)
  t.equal(new CursorCodec(Buffer.alloc(32, 8), 0xfedcba98).decode(user, 'room_x', cursor), null)
})

t.test('a cursor of another epoch is recognised and leads to a reset', async t => {
  const later = new CursorCodec(key, 1)
  const cursor = codec.encode(user, 'room_x', place)
  for (let round = 0; round < 2; round++) t.same(later.decode(user, 'room_x', cursor), { ...place, isFromOtherEpoch: true })
  t.not(later.encode(user, 'room_x', place), cursor)
})

t.test('a cursor that was changed, cut or lengthened is refused', async t => {
  fc.assert(fc.property(position, fc.nat(43), fc.constantFrom('A', 'z', '-', '9', '=', '+', ' ', '\u00e9'), (value, at, character) => {
    const cursor = codec.encode(user, 'room_x', value)
    for (const other of [cursor.slice(0, at) + character + cursor.slice(at + 1), cursor.slice(0, at), cursor + character]) {
      if (other !== cursor) t.equal(codec.decode(user, 'room_x', other), null)
    }
    t.same(codec.decode(user, 'room_x', cursor), { ...value, isFromOtherEpoch: false }, 'and itself is good as before')
  }))
})

t.test('any text from a client is decoded or refused without an exception', async t => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => codec.decode(user, 'room_x', text) === null))
  t.equal(codec.decode(user, 'room_x', ''), null)
})
