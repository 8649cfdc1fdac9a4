import fc from 'fast-check'
import t from 'tap'
import { encodeKey, encodePrefix, indexKeys, KEY_BYTES_MAX, rangeBounds, sortKey, type IndexField } from '../../src/keys/key-bytes.ts'
import { docOf, int32, MAX_KEY, MIN_KEY, UNDEFINED, type Value } from '../../src/values/values.ts'
import { number, value } from '../helpers/arbitrary.ts'
import { orderOf } from '../helpers/order.ts'

const fields = (...directions: (1 | -1)[]): IndexField[] => directions.map((direction, i) => ({ path: 'abc'[i] as string, direction }))
const ascending = fields(1)

t.test('keys sort like their values, in both directions', async t => {
  for (const kind of [value, number]) {
    fc.assert(fc.property(kind, kind, fc.constantFrom<1 | -1>(1, -1), (a, b, direction) => {
      const bytes = Buffer.compare(encodePrefix([a], fields(direction)), encodePrefix([b], fields(direction)))
      return Math.sign(bytes) === Math.sign(orderOf(a, b)) * direction || (bytes === 0 && orderOf(a, b) === 0)
    }), { numRuns: 5000 })
  }
  t.pass()
})

t.test('compound keys sort by their first differing field', async t => {
  fc.assert(fc.property(fc.tuple(value, value), fc.tuple(value, value), fc.constantFrom<1 | -1>(1, -1), fc.constantFrom<1 | -1>(1, -1), (a, b, first, second) => {
    const order = orderOf(a[0], b[0]) * first || orderOf(a[1], b[1]) * second
    return Math.sign(Buffer.compare(encodePrefix(a, fields(first, second)), encodePrefix(b, fields(first, second)))) + 0 === Math.sign(order) + 0
  }), { numRuns: 3000 })
  t.pass()
})

t.test('no encoded value is a prefix of another', async t => {
  fc.assert(fc.property(value, value, fc.constantFrom<1 | -1>(1, -1), (a, b, direction) => {
    const left = encodePrefix([a], fields(direction))
    const right = encodePrefix([b], fields(direction))
    return left.equals(right) || !right.subarray(0, left.length).equals(left)
  }), { numRuns: 5000 })
  t.pass()
})

t.test('the bounds of an interval contain exactly the keys of its values', async t => {
  fc.assert(fc.property(value, value, value, value, fc.boolean(), fc.boolean(), fc.constantFrom<1 | -1>(1, -1), (first, lower, upper, probe, lowerInclusive, upperInclusive, direction) => {
    const index = fields(1, direction, 1)
    const range = rangeBounds(index, [first], { lower, lowerInclusive, upper, upperInclusive })
    const key = encodeKey([first, probe, 'anything'], index)
    const toLower = orderOf(probe, lower)
    const toUpper = orderOf(probe, upper)
    const inside = (toLower > 0 || (lowerInclusive && toLower === 0)) && (toUpper < 0 || (upperInclusive && toUpper === 0))
    return (Buffer.compare(key, range.lower) >= 0 && Buffer.compare(key, range.upper) < 0) === inside
  }), { numRuns: 5000 })
  t.pass()
})

t.test('the bounds of equal leading values contain all keys with them and no others', async t => {
  fc.assert(fc.property(value, value, value, fc.constantFrom<1 | -1>(1, -1), (first, other, second, direction) => {
    const index = fields(direction, 1)
    const { lower, upper } = rangeBounds(index, [first])
    const key = encodeKey([other, second], index)
    return (Buffer.compare(key, lower) >= 0 && Buffer.compare(key, upper) < 0) === (orderOf(first, other) === 0)
  }), { numRuns: 5000 })
  t.pass()
})

const valuesOf = (paths: string[], doc: Record<string, Value>) => indexKeys(paths.map(path => ({ path, direction: 1 })), docOf(doc))
const keysOf = (...rows: (Value | undefined)[][]) => rows.map(row => encodeKey(row, row.map(() => ({ path: '', direction: 1 }))))

t.test('a missing field is indexed as null and an empty array as undefined', async t => {
  t.strictSame(valuesOf(['a'], {}), { keys: keysOf([null]), arrays: [], truncated: false })
  t.strictSame(valuesOf(['a'], { a: [] }), { keys: keysOf([UNDEFINED]), arrays: ['a'], truncated: false })
  t.strictSame(valuesOf(['a.b'], { a: [] }).keys, keysOf([null]))
  t.strictSame(valuesOf(['a.b'], { a: 5 }), { keys: keysOf([null]), arrays: [], truncated: false })
})

t.test('an array is indexed by its items, each once, and paths through it keep their items together', async t => {
  t.strictSame(valuesOf(['a'], { a: [int32(1), 1, int32(2)] }).keys, keysOf([int32(1)], [int32(2)]))
  const items = [docOf({ b: 1, c: 2 }), docOf({ b: 3 })]
  t.strictSame(valuesOf(['a.b', 'x', 'a.c'], { a: items, x: 'x' }).keys, keysOf([1, 'x', 2], [3, 'x', null]))
  t.strictSame(valuesOf(['a.b'], { a: [1, 2] }).keys, keysOf([null]), 'items that are no documents have no field')
  t.strictSame(valuesOf(['a'], { a: [[1, 2], 3] }).keys, keysOf([[1, 2]], [3]), 'a nested array is one item')
  t.strictSame(valuesOf(['a.1'], { a: docOf({ 1: 6 }) }).keys, keysOf([6]))
  t.throws(() => valuesOf(['a.1'], { a: [5, 6] }), { code: 238 })
  t.strictSame(valuesOf(['a.b.c'], { a: [docOf({ b: [docOf({ c: 1 }), docOf({ c: 2 })] })] }).keys, keysOf([1], [2]))
})

t.test('two arrays that are not nested cannot be indexed together', async t => {
  t.throws(() => valuesOf(['a', 'b'], { a: [1], b: [2] }), { code: 171, message: 'cannot index parallel arrays [b] [a]' })
  t.doesNotThrow(() => valuesOf(['a.b', 'a.c'], { a: [docOf({ b: [1], c: 2 })] }))
})

t.test('keys that are too long stay distinct and within their range, and are reported', async t => {
  const long = 'x'.repeat(KEY_BYTES_MAX)
  const one = valuesOf(['a'], { a: long + '1' })
  const two = valuesOf(['a'], { a: long + '2' })
  t.ok(one.truncated && two.truncated)
  t.equal((one.keys[0] as Buffer).length, KEY_BYTES_MAX)
  t.notSame(one.keys, two.keys)
  for (const interval of [undefined, { lower: long, lowerInclusive: false, upper: long + '3', upperInclusive: true }]) {
    const { lower, upper, truncated } = rangeBounds(ascending, interval === undefined ? [long + '1'] : [], interval)
    t.ok(truncated)
    t.ok(Buffer.compare(one.keys[0] as Buffer, lower) >= 0 && Buffer.compare(one.keys[0] as Buffer, upper) < 0)
  }
})

t.test('a document is sorted by the least of its keys in the order of the sort', async t => {
  const key = (direction: 1 | -1, a: Value) => sortKey([{ path: 'a', direction }], docOf({ a }))
  t.strictSame(key(1, [3, 1, 2]), encodeKey([1], ascending))
  t.strictSame(key(-1, [3, 1, 2]), encodeKey([3], fields(-1)))
  t.throws(() => sortKey(fields(1, 1), docOf({ a: [1], b: [2] })), { code: 2 })
})

t.test('all values lie between MinKey and MaxKey', async t => {
  const { lower, upper } = rangeBounds(ascending, [], { lower: MIN_KEY, lowerInclusive: true, upper: MAX_KEY, upperInclusive: true })
  fc.assert(fc.property(value, probe => {
    const key = encodeKey([probe], ascending)
    return Buffer.compare(key, lower) >= 0 && Buffer.compare(key, upper) < 0
  }))
  t.pass()
})
