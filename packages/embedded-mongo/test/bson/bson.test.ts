import { BSON } from 'bson'
import fc from 'fast-check'
import t from 'tap'
import { decode, decodeAt, documentLength, encode } from '../../src/bson/index.ts'
import { identical } from '../../src/keys/compare.ts'
import { MongoError } from '../../src/values/errors.ts'
import { DateTime, docOf, int32, type Doc, type Value } from '../../src/values/values.ts'
import { doc } from '../helpers/arbitrary.ts'

t.test('any document survives encoding and decoding with all its types', async t => {
  fc.assert(fc.property(doc, doc => {
    const bytes = encode(doc)
    const again = decode(bytes)
    return identical(again, doc) && encode(again).equals(bytes)
  }), { numRuns: 3000 })
  t.pass()
})

t.test('the driver\'s own codec reads and writes the same bytes', async t => {
  const options = { promoteValues: false, promoteBuffers: false, bsonRegExp: true, useBigInt64: false }
  fc.assert(fc.property(doc, doc => {
    fc.pre(!hasForeign(doc))
    const bytes = encode(doc)
    return Buffer.from(BSON.serialize(BSON.deserialize(bytes, options))).equals(bytes)
  }), { numRuns: 1000 })
  t.pass()
})

/** What JavaScript objects cannot hold: names they reorder or treat specially, and the deprecated types that the codec converts. */
function hasForeign (value: Value): boolean {
  if (Array.isArray(value)) return value.some(hasForeign)
  if (value instanceof Map) return [...value].some(([name, field]) => /^\d|^__/.test(name) || hasForeign(field))
  return typeof value === 'object' && value !== null && /^(Sym|BsonUndefined|Code)$/.test(value.constructor.name)
}

t.test('damaged bytes give an error or another document, and are never read past their end', async t => {
  const damage = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
  fc.assert(fc.property(doc, fc.array(damage, { minLength: 1, maxLength: 4 }), fc.nat(8), (doc, damages, cut) => {
    const bytes = encode(doc)
    for (const [place, byte] of damages) bytes[place % bytes.length] = byte
    try {
      encode(decode(bytes.subarray(0, bytes.length - Math.min(cut, bytes.length))))
      return true
    } catch (error) {
      return error instanceof MongoError
    }
  }), { numRuns: 5000 })
  t.pass()
})

t.test('a document is read at an offset and must end within the bytes', async t => {
  const bytes = encode(docOf({ a: int32(1) }))
  const both = Buffer.concat([Buffer.from([9, 9, 9]), bytes, bytes])
  t.equal(documentLength(both, 3), bytes.length)
  t.strictSame(decodeAt(both, 3), docOf({ a: int32(1) }))
  t.throws(() => documentLength(both, both.length - 4), { code: 22 })
  t.throws(() => decode(both.subarray(3)), { code: 22 }, 'bytes after the document')
})

t.test('text that is not UTF-8 is refused, but a replacement character is not', async t => {
  const bytes = encode(docOf({ a: 'xy' }))
  bytes.writeUInt16BE(0xc328, bytes.indexOf('xy'))
  t.throws(() => decode(bytes), { code: 22 })
  const replacement = docOf({ a: '\ufffd' })
  t.strictSame(decode(encode(replacement)), replacement)
})

t.test('a field name that occurs twice is refused', async t => {
  const bytes = encode(docOf({ a: int32(1), b: int32(2) }))
  bytes[bytes.lastIndexOf('b')] = 'a'.charCodeAt(0)
  t.throws(() => decode(bytes), { code: 22 })
})

t.test('encoding and decoding limit the depth of nesting', async t => {
  let nested: Doc = new Map()
  for (let i = 0; i < 190; i++) nested = docOf({ a: nested })
  t.strictSame(decode(encode(nested)), nested)
  for (let i = 0; i < 20; i++) nested = docOf({ a: nested })
  t.throws(() => encode(nested), { code: 15 })
  let bytes = Buffer.from([5, 0, 0, 0, 0])
  for (let i = 0; i < 300; i++) {
    const head = Buffer.from([0, 0, 0, 0, 3, 97, 0])
    head.writeInt32LE(bytes.length + 8)
    bytes = Buffer.concat([head, bytes, Buffer.from([0])])
  }
  t.throws(() => decode(bytes), { code: 15 })
})

t.test('a decoded value does not refer to the bytes it was read from', async t => {
  const bytes = encode(docOf({ name: 'some text', date: DateTime.fromMs(-1) }))
  const value = decode(bytes)
  bytes.fill(0)
  t.strictSame(value, docOf({ name: 'some text', date: DateTime.fromMs(-1) }))
  t.equal((value.get('date') as DateTime).ms, -1)
})

t.test('a long document grows the buffer it is written to', async t => {
  const long = docOf({ text: 'é'.repeat(200_000), list: Array.from({ length: 20_000 }, (_, i) => int32(i)) })
  t.ok(identical(decode(encode(long)), long))
})
