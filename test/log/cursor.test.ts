import fc from 'fast-check'
import t from 'tap'
import { CursorCodec } from '../../src/log/cursor.ts'
import { revOf } from '../../src/log/types.ts'

const key = Buffer.alloc(32, 7)
const codec = new CursorCodec(key, 0xfedcba98)
const user = 'a'.repeat(24)
const rev = fc.integer({ min: 0, max: 2 ** 48 - 1 })

t.test('a cursor stands for its rev, and takes 27 characters', async t => {
  fc.assert(fc.property(rev, value => {
    const cursor = codec.encode(user, 'room_x', revOf(value))
    t.match(cursor, /^[\w-]{27}$/)
    t.same(codec.decode(user, 'room_x', cursor), { rev: value, stale: false })
  }))
})

t.test('a cursor of another user, conversation or key is refused', async t => {
  const cursor = codec.encode(user, 'room_x', revOf(5))
  t.equal(codec.decode('b'.repeat(24), 'room_x', cursor), null)
  t.equal(codec.decode(user, 'room_y', cursor), null)
  t.equal(new CursorCodec(Buffer.alloc(32, 8), 0xfedcba98).decode(user, 'room_x', cursor), null)
})

t.test('a cursor of another life of the database is stale, not refused', async t => {
  t.same(new CursorCodec(key, 1).decode(user, 'room_x', codec.encode(user, 'room_x', revOf(5))), { rev: 5, stale: true })
})

t.test('a cursor that was changed anywhere, cut or lengthened is refused', async t => {
  fc.assert(fc.property(rev, fc.nat(26), fc.constantFrom('A', 'z', '-', '9', '=', '+', ' ', '\u00e9'), (value, at, character) => {
    const cursor = codec.encode(user, 'room_x', revOf(value))
    for (const other of [cursor.slice(0, at) + character + cursor.slice(at + 1), cursor.slice(0, at), cursor + character]) {
      if (other !== cursor) t.equal(codec.decode(user, 'room_x', other), null)
    }
  }))
})

t.test('whatever a client sends is decoded or refused, never thrown at', async t => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => codec.decode(user, 'room_x', text) === null))
  t.equal(codec.decode(user, 'room_x', ''), null)
})
