import fc from 'fast-check'
import t, { type Test } from 'tap'
import { decode, encode } from '../../src/bson/index.ts'
import { identical } from '../../src/keys/compare.ts'
import { MongoError } from '../../src/values/errors.ts'
import { parseFilter } from '../../src/filter/index.ts'
import { printDoc } from '../../src/values/print.ts'
import { applyUpdate, parseUpdate, upsertDocument } from '../../src/update/apply.ts'
import { DateTime, Decimal128, ObjectId, Regex, Timestamp, int32, type Value } from '../../src/values/values.ts'
import { doc } from '../helpers/arbitrary.ts'
import { d, type Plain } from '../helpers/plain.ts'

type Literal = { [name: string]: Plain }
interface Options { insert?: boolean }

function run (before: Literal, update: Literal, { insert = false }: Options = {}) {
  return applyUpdate(parseUpdate(d(update)), d(before), { insert, nowMs: 5000 })
}

/** The types and the order of fields count: documents are compared by their bytes. */
function gives (t: Pick<Test, 'ok'>, before: Literal, update: Literal, after: Literal | null, options: Options = {}) {
  const result = run(before, update, options)
  const same = result === null || after === null ? result === after : encode(result).equals(encode(d(after)))
  t.ok(same, `${printDoc(d(update))} on ${printDoc(d(before))} gives ${result === null ? 'no change' : printDoc(result)}`)
}

function fails (t: Pick<Test, 'throws'>, before: Literal, update: Literal, code: number, message?: string) {
  t.throws(() => run(before, update), message === undefined ? { code } : { code, message }, printDoc(d(update)))
}

t.test('$set keeps the position of existing fields and adds new ones in the order of their paths', async t => {
  gives(t, { b: 1, a: 2 }, { $set: { a: 3, z: 1, 'c.e': 1, 'c.d': 2 } }, { b: 1, a: 3, c: { d: 2, e: 1 }, z: 1 })
  t.strictSame([...run({}, { $set: { '12b': 1, '1a': 1, '01': 1 } })?.keys() ?? []], ['01', '1a', '12b'])
  gives(t, { _id: 1 }, { $set: { 'x.10': 1, 'x.9': 2, b: 1 }, $inc: { a: 1 } }, { _id: 1, a: 1, b: 1, x: new Map([['9', int32(2)], ['10', int32(1)]]) })
  gives(t, { a: 1 }, { $set: { a: 1 } }, null)
  gives(t, { a: 1 }, { $set: { a: 1.0 as Plain } }, null)
  gives(t, { a: 1 }, { $set: { a: 1n } }, { a: 1n })
  gives(t, { a: NaN, b: 1 }, { $set: { a: NaN } }, null)
  gives(t, { a: 0n }, { $set: { a: -0 } }, { a: -0 })
  t.ok(Object.is(applyUpdate(parseUpdate(d({ $set: { a: -0 } })), new Map([['a', 0]]), { insert: false })?.get('a'), -0))
  gives(t, { a: { b: 1 } }, { $set: { 'a.c': 2 } }, { a: { b: 1, c: 2 } })
  gives(t, { a: [1, 2] }, { $set: { 'a.0': 5 } }, { a: [5, 2] })
  gives(t, { a: [1] }, { $set: { 'a.3': 5 } }, { a: [1, null, null, 5] })
  gives(t, { a: [{}] }, { $set: { 'a.0.b.c': 5 } }, { a: [{ b: { c: 5 } }] })
  fails(t, { _id: 1, a: 5 }, { $set: { 'a.b': 1 } }, 28, 'Cannot create field \'b\' in element {a: 5}')
  fails(t, { _id: 1, a: null }, { $set: { 'a.b': 1 } }, 28)
  fails(t, { a: [1] }, { $set: { 'a.b': 1 } }, 28)
  fails(t, { a: [] }, { $set: { 'a.1500001': 1 } }, 39)
})

t.test('$unset removes fields and leaves null in arrays', async t => {
  gives(t, { a: 1, b: 2 }, { $unset: { a: '' } }, { b: 2 })
  gives(t, { a: 1 }, { $unset: { b: 1, 'a.c': 1, 'x.y': 1 } }, null)
  gives(t, { a: [1, 2] }, { $unset: { 'a.0': 1 } }, { a: [null, 2] })
  gives(t, { a: [null] }, { $unset: { 'a.0': 1 } }, { a: [null] })
  gives(t, { a: { b: 1 } }, { $unset: { 'a.b': 1 } }, { a: {} })
})

t.test('$inc keeps the wider type and overflows as MongoDB does', async t => {
  gives(t, { a: 1 }, { $inc: { a: 2 } }, { a: 3 })
  gives(t, { a: 1 }, { $inc: { a: 2n } }, { a: 3n })
  gives(t, { a: 1 }, { $inc: { a: 0.5 } }, { a: 1.5 })
  gives(t, { a: 1.5 }, { $inc: { a: 1n } }, { a: 2.5 })
  gives(t, { a: 2147483647 }, { $inc: { a: 1 } }, { a: 2147483648n })
  gives(t, { a: 1n }, { $inc: { a: -1 } }, { a: 0n })
  gives(t, { a: 1 }, { $inc: { a: 0 } }, null)
  gives(t, {}, { $inc: { 'a.b': 5 } }, { a: { b: 5 } })
  gives(t, {}, { $inc: { a: Decimal128.fromString('0.2') } }, { a: Decimal128.fromString('0.2') })
  fails(t, { a: Decimal128.fromString('0.1') }, { $inc: { a: 1 } }, 238)
  fails(t, { a: 1 }, { $inc: { a: Decimal128.fromString('0.25') } }, 238)
  fails(t, { _id: 1, a: 'x' }, { $inc: { a: 1 } }, 14, 'Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field \'a\' of non-numeric type string')
  fails(t, { a: 1 }, { $inc: { a: 'x' } }, 14, 'Cannot increment with non-numeric argument: {a: "x"}')
  fails(t, { _id: 1, a: 2n ** 63n - 1n }, { $inc: { a: 1 } }, 2)
})

t.test('$max and $min compare across types', async t => {
  gives(t, { a: 5 }, { $max: { a: 7, b: 1 } }, { a: 7, b: 1 })
  gives(t, { a: 5 }, { $max: { a: 5n } }, null)
  gives(t, { a: 5 }, { $max: { a: 'x' } }, { a: 'x' })
  gives(t, { a: 5 }, { $min: { a: null } }, { a: null })
})

t.test('$push appends, inserts, sorts and slices', async t => {
  gives(t, { a: [1] }, { $push: { a: 2 } }, { a: [1, 2] })
  gives(t, {}, { $push: { a: 2 } }, { a: [2] })
  gives(t, { a: [1] }, { $push: { a: [2, 3] } }, { a: [1, [2, 3]] })
  gives(t, { a: [1, 2] }, { $push: { a: { $each: [9, 8], $position: 0 } } }, { a: [9, 8, 1, 2] })
  gives(t, { a: [1, 2] }, { $push: { a: { $each: [9], $position: -1 } } }, { a: [1, 9, 2] })
  gives(t, { a: [1, 3] }, { $push: { a: { $each: [2], $sort: 1 } } }, { a: [1, 2, 3] })
  gives(t, { a: [{ b: 1 }, { b: 3 }] }, { $push: { a: { $each: [{ b: 2 }], $sort: { b: -1 }, $slice: 2 } } }, { a: [{ b: 3 }, { b: 2 }] })
  gives(t, { a: [1, 2] }, { $push: { a: { $each: [3, 4], $slice: -3 } } }, { a: [2, 3, 4] })
  gives(t, { a: [1] }, { $push: { a: { $each: [] } } }, null)
  gives(t, { a: [1] }, { $push: { a: { $each: [], $sort: 1 } } }, { a: [1] })
  gives(t, { a: [1] }, { $push: { a: { $each: [2], $slice: 0 } } }, { a: [] })
  fails(t, { _id: 1, a: 1 }, { $push: { a: 2 } }, 2, 'The field \'a\' must be an array but is of type int in document {_id: 1}')
  fails(t, {}, { $push: { a: { $each: 1 } } }, 2)
  fails(t, {}, { $push: { a: { $each: [], $foo: 1 } } }, 2)
  fails(t, {}, { $push: { a: { $each: [], $slice: 'x' } } }, 2)
  fails(t, {}, { $push: { a: { $each: [], $sort: 2 } } }, 2)
})

t.test('$addToSet adds missing items, and $pull removes matching ones', async t => {
  gives(t, { a: [1] }, { $addToSet: { a: { $each: [1.0 as Plain, 2, 2] } } }, { a: [1, 2] })
  gives(t, { a: [1] }, { $addToSet: { a: 1n } }, null)
  gives(t, { a: [[1]] }, { $addToSet: { a: [2] } }, { a: [[1], [2]] })
  gives(t, { a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] })
  gives(t, { a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] })
  gives(t, { a: [{ b: 1, c: 1 }, { b: 2 }, 3] }, { $pull: { a: { b: 1 } } }, { a: [{ b: 2 }, 3] })
  gives(t, { a: ['x', 'y'] }, { $pull: { a: new Regex('^x') } }, { a: ['y'] })
  gives(t, { a: [1] }, { $pull: { a: 7, b: 1 } }, null)
  fails(t, { a: 1 }, { $pull: { a: 1 } }, 2)
  fails(t, { a: 1 }, { $addToSet: { a: 1 } }, 2)
})

t.test('$rename moves a value', async t => {
  gives(t, { a: 1, b: 2 }, { $rename: { a: 'c' } }, { b: 2, c: 1 })
  gives(t, { a: 1, b: 2 }, { $rename: { a: 'b' } }, { b: 1 })
  gives(t, { a: { x: 1 } }, { $rename: { 'a.x': 'b.y' } }, { a: {}, b: { y: 1 } })
  gives(t, { a: 1 }, { $rename: { z: 'a' } }, null)
  fails(t, {}, { $rename: { a: 'a' } }, 2)
  fails(t, {}, { $rename: { a: 1 } }, 2)
  fails(t, { _id: 1, a: [1] }, { $rename: { 'a.0': 'b' } }, 2)
  fails(t, {}, { $rename: { a: 'b' }, $set: { b: 1 } }, 40)
})

t.test('$currentDate sets the time, and $setOnInsert sets fields of inserts only', async t => {
  gives(t, {}, { $currentDate: { a: true, b: { $type: 'timestamp' } } }, { a: DateTime.fromMs(5000), b: new Timestamp(5, 1) })
  gives(t, {}, { $setOnInsert: { a: 1 } }, null)
  gives(t, {}, { $setOnInsert: { a: 1 } }, { a: 1 }, { insert: true })
  fails(t, {}, { $currentDate: { a: { $type: 'x' } } }, 2)
})

t.test('two modifiers of the same path conflict', async t => {
  fails(t, {}, { $set: { a: 1 }, $inc: { a: 1 } }, 40, 'Updating the path \'a\' would create a conflict at \'a\'')
  fails(t, {}, { $set: { 'a.b': 1, a: 1 } }, 40, 'Updating the path \'a\' would create a conflict at \'a\'')
  fails(t, {}, { $set: { a: 1 }, $push: { 'a.b': 1 } }, 40, 'Updating the path \'a.b\' would create a conflict at \'a\'')
})

t.test('an update cannot change the _id', async t => {
  fails(t, { _id: 1 }, { $set: { _id: 2 } }, 66, 'Performing an update on the path \'_id\' would modify the immutable field \'_id\'')
  fails(t, { _id: 1 }, { $unset: { _id: 1 } }, 66)
  fails(t, { _id: { a: 1 } }, { $set: { '_id.a': 2 } }, 66)
  fails(t, { _id: 1 }, { _id: 2 }, 66)
  fails(t, { _id: 1 }, { $set: { _id: 1n } }, 66)
  fails(t, {}, { $set: { _id: { $a: 1 } } }, 52)
  gives(t, { _id: 1 }, { $set: { _id: 1, a: 1 } }, { _id: 1, a: 1 })
})

t.test('a replacement keeps the _id', async t => {
  gives(t, { _id: 1, a: 1 }, { b: 2 }, { _id: 1, b: 2 })
  gives(t, { _id: 1, a: 1 }, { _id: 1, a: 1 }, null)
  gives(t, { _id: 1, a: 1 }, { a: 1 }, { _id: 1, a: 1 })
  gives(t, { _id: 1, a: 1 }, {}, { _id: 1 })
  gives(t, { _id: 1 }, { t: new Timestamp(0, 0) }, { _id: 1, t: new Timestamp(5, 1) })
  fails(t, {}, { a: 1, $set: { b: 1 } }, 52)
})

t.test('an invalid update is refused with MongoDB\'s code', async t => {
  const refused: [Literal, number][] = [
    [{ $foo: { a: 1 } }, 9], [{ $foo: {} }, 9], [{ $set: 1 }, 9], [{ $set: { a: 1 }, b: 1 }, 9], [{ $set: { '': 1 } }, 56], [{ $set: { 'a.': 1 } }, 56], [{ $set: { 'a..b': 1 } }, 56],
    [{ $set: { $a: 1 } }, 52], [{ $set: { 'a.$.b': 1 } }, 238], [{ $inc: { 'a.$[].b': 1 } }, 238], [{ $set: { 'a.$[x]': 1 } }, 238], [{ $addToSet: { a: { $each: 1 } } }, 14],
    [{ $bit: { a: { and: 1 } } }, 238], [{ $mul: { a: 2 } }, 238], [{ $pop: { a: 1 } }, 238], [{ $pullAll: { a: [1] } }, 238]
  ]
  for (const [update, code] of refused) fails(t, {}, update, code)
  t.throws(() => parseUpdate([]), { code: 238 })
})

t.test('an upsert starts from the equalities of its filter', async t => {
  const upsert = (query: Literal, update: Literal) => upsertDocument(parseUpdate(d(update)), parseFilter(d(query)))
  const base = (query: Literal) => upsert(query, { $setOnInsert: {} })
  t.strictSame(base({ b: 1, a: { $eq: 'x' }, c: { $gt: 1 }, 'e.f': 2, $and: [{ g: 3 }], h: { $in: [4] } }), d({ a: 'x', b: 1, e: { f: 2 }, g: 3, h: 4 }))
  t.strictSame([...base({ b: 1, a: 1 }).keys()], ['a', 'b'])
  t.throws(() => base({ a: 1, $and: [{ a: 2 }] }), { code: 54 })
  t.throws(() => base({ 'a.b': 1, a: { c: 1 } }), { code: 54 })
  const id = new ObjectId(1, 2, 3)
  t.strictSame(upsert({ x: 1, _id: id }, { $set: { a: 1 }, $setOnInsert: { b: 2 }, $inc: { x: 1 } }), d({ _id: id, x: 2, a: 1, b: 2 }))
  t.strictSame(upsert({ x: 1 }, { $set: { _id: 7 } }), d({ x: 1, _id: 7 }))
  t.strictSame(upsert({ x: 1 }, { y: 2 }), d({ y: 2 }))
  t.strictSame(upsert({ x: 1, _id: 5 }, { y: 2 }), d({ _id: 5, y: 2 }))
  t.strictSame(upsert({ _id: null }, { $set: { y: 2 } }), d({ _id: null, y: 2 }))
  t.strictSame(base({ x: { $in: [5, 5] }, y: { $in: [5, 6] }, z: { $in: [] } }), d({ x: 5 }), 'an $in of one value, however often, is an equality')
  t.throws(() => upsert({ _id: 5 }, { _id: 6 }), { code: 66 })
  t.throws(() => upsert({ '_id.x': 5 }, { a: 6 }), { code: 250 })
  t.throws(() => upsert({ _id: 5 }, { $set: { _id: 6 } }), { code: 66 })
  t.throws(() => upsert({}, { _id: [1] }), { code: 53 })
})

t.test('an update does not change its argument, and reports no change only if there is none', async t => {
  const path = fc.constantFrom('a', 'b', 'a.b', 'a.0', 'b.c.a', 'c.1.a')
  const operand = fc.constantFrom<Value>(int32(1), 1, 'x', null, [int32(1)], new Map([['b', int32(1)]]))
  // Not $push, for which an array that comes out the same is a change.
  const operator = fc.constantFrom('$set', '$unset', '$inc', '$max', '$addToSet', '$pull', '$setOnInsert')
  const update = fc.tuple(operator, path, operand).map(([operator, path, operand]) => new Map<string, Value>([[operator, new Map([[path, operand]])]]))
  fc.assert(fc.property(doc, update, (before, update) => {
    fc.pre(before.get('_id') === undefined)
    const copy = decode(encode(before))
    try {
      const after = applyUpdate(parseUpdate(update), before, { insert: false })
      if (!identical(before, copy)) return false
      // What is unset in an array counts as changed even if it was null.
      return after === null || !identical(after, before) || update.has('$unset')
    } catch (error) {
      return error instanceof MongoError && identical(before, copy)
    }
  }), { numRuns: 5000 })
  t.pass()
})
