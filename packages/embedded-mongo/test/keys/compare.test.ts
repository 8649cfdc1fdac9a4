import fc from 'fast-check'
import t from 'tap'
import { compareValues, identical } from '../../src/keys/compare.ts'
import {
  Binary, Code, DateTime, Decimal128, MAX_KEY, MIN_KEY, ObjectId, Regex, Sym, Timestamp, UNDEFINED, docOf, int32, type Value
} from '../../src/values/values.ts'
import { number, value } from '../helpers/arbitrary.ts'
import { orderOf } from '../helpers/order.ts'

t.test('the order of values is total', async t => {
  for (const kind of [value, number]) {
    fc.assert(fc.property(kind, kind, kind, (a, b, c) => {
      const ab = Math.sign(compareValues(a, b))
      const bc = Math.sign(compareValues(b, c))
      const ac = Math.sign(compareValues(a, c))
      return ab + Math.sign(compareValues(b, a)) === 0 && compareValues(a, a) === 0 && (ab > 0 || bc > 0 || ac === Math.min(ab, bc))
    }), { numRuns: 5000 })
  }
  t.pass()
})

t.test('values are compared part by part', async t => {
  for (const kind of [value, number]) {
    fc.assert(fc.property(kind, kind, (a, b) => Math.sign(compareValues(a, b)) === Math.sign(orderOf(a, b))), { numRuns: 10_000 })
  }
  t.pass()
})

t.test('types are ordered as in MongoDB', async t => {
  const ascending: Value[] = [
    MIN_KEY, UNDEFINED, null, NaN, -Infinity, -1, 0, int32(1), 1.5, 2n, Decimal128.fromString('1E+400'), '', 'a', new Sym('b'), docOf({}), docOf({ a: 1 }),
    [], [1], new Binary(new Uint8Array(0)), new Binary(Buffer.from('a')), new ObjectId(0, 0, 1), false, true, DateTime.fromMs(-1), DateTime.fromMs(0),
    new Timestamp(0, 1), new Timestamp(0x80000000, 0), new Regex('a'), new Code('a'), new Code('a', docOf({})), MAX_KEY
  ]
  t.strictSame([...ascending].reverse().sort(compareValues), ascending)
})

t.test('numbers of different types are equal or ordered by their exact values', async t => {
  for (const two of [int32(2), 2n, 2, Decimal128.fromString('2.00')]) t.equal(compareValues(two, 2), 0)
  t.equal(compareValues(0, -0), 0)
  t.equal(compareValues(NaN, Decimal128.fromString('NaN')), 0)
  t.equal(compareValues(2 ** 53, 2n ** 53n + 1n), -1)
  t.equal(compareValues(Decimal128.fromString('0.1'), 0.1), -1, 'the double 0.1 is a little more')
  t.equal(compareValues(Decimal128.fromString('9223372036854775807'), 2n ** 63n - 1n), 0)
})

t.test('strings are ordered by code points', async t => {
  t.ok(compareValues('\uffee', '\u{1f600}') < 0)
  t.ok(compareValues('a', 'a\0') < 0)
})

t.test('documents are compared field by field: type, name, value', async t => {
  t.ok(compareValues(docOf({ b: 1 }), docOf({ a: 'x' })) < 0, 'a number is below a string whatever the names')
  t.ok(compareValues(docOf({ a: 2 }), docOf({ b: 1 })) < 0)
  t.not(compareValues(docOf({ a: 1, b: 2 }), docOf({ b: 2, a: 1 })), 0, 'the order of fields counts')
  t.ok(compareValues(docOf({ a: 1 }), docOf({ a: 1, b: 1 })) < 0)
})

t.test('equal values of different types are not identical', async t => {
  t.notOk(identical(1, int32(1)))
  t.notOk(identical(0, -0))
  t.ok(identical(NaN, NaN))
  t.notOk(identical(Decimal128.fromString('1.0'), Decimal128.fromString('1.00')))
  t.notOk(identical('a', new Sym('a')))
  t.ok(identical([docOf({ a: int32(1) })], [docOf({ a: int32(1) })]))
})
