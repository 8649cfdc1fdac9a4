/** Random collections, and what is done to them: few names and few values, so that things meet. */
import { Decimal128, Double, Int32, Long, ObjectId } from 'bson'
import fc from 'fast-check'
import type { Condition, Order, Plain, Val } from './oracle.ts'
import type { Update } from './oracle-update.ts'

export type IndexSpec = { key: Order, unique?: true, sparse?: true, partialFilterExpression?: Condition }

export type Change =
  | { do: 'update', many: boolean, filter: Condition, update: Update, upsert: boolean }
  | { do: 'replace', filter: Condition, replacement: Plain, upsert: boolean }
  | { do: 'findAndUpdate', filter: Condition, update: Update, order: Order, after: boolean }
  | { do: 'delete', many: boolean, filter: Condition }

/** Without `tie`, documents that are equal in the order may come in any. */
export type Read = { filter: Condition, order: Order, tie: boolean, skip: number, limit: number, projection: Record<string, 0 | 1>, hinted: number, batchSize: number }

export type Case = { docs: Plain[], indexes: IndexSpec[], indexedFirst: boolean, changes: Change[], reads: Read[] }

const ids = [0, 1, 2].map(n => new ObjectId(n.toString(16).padStart(24, '0')))

const small: fc.Arbitrary<Val> = fc.integer({ min: 0, max: 4 }).map(n => new Int32(n))

const number: fc.Arbitrary<Val> = fc.oneof(
  { weight: 6, arbitrary: small },
  { weight: 2, arbitrary: fc.constantFrom(0, -0, 1, 1.5, 2, 2.5, -1.5, 2 ** 53, NaN, Infinity, -Infinity).map(n => new Double(n)) },
  { weight: 2, arbitrary: fc.constantFrom('0', '1', '2', '9007199254740993', '-9223372036854775808', '9223372036854775807').map(n => Long.fromString(n)) },
  fc.constantFrom(2147483647, -2147483648, -1).map(n => new Int32(n)),
  fc.constantFrom('1', '1.0', '1.50', '2', '-0', 'NaN', 'Infinity').map(n => Decimal128.fromString(n))
)

const scalar: fc.Arbitrary<Val> = fc.oneof(
  { weight: 14, arbitrary: small },
  { weight: 4, arbitrary: number },
  { weight: 3, arbitrary: fc.constantFrom<Val>('', 'a', 'ab', 'b', 'Ab', 'é', '\uffee', '\u{1f600}', 'a\0b') },
  { weight: 2, arbitrary: fc.constant(null) },
  fc.boolean(),
  fc.constantFrom(0, 1, 1_700_000_000_000).map(ms => new Date(ms)),
  fc.constantFrom(...ids)
)

/** A document under `field`: the keys keep the order they were drawn in. */
const inner: fc.Arbitrary<Val> = fc.uniqueArray(fc.tuple(fc.constantFrom('b', 'c'), fc.oneof({ weight: 4, arbitrary: scalar }, fc.array(scalar, { maxLength: 2 }))), { maxLength: 2, selector: ([name]) => name })
  .map(fields => Object.fromEntries(fields))

const value: fc.Arbitrary<Val> = fc.oneof(
  { weight: 8, arbitrary: scalar },
  { weight: 3, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 2, arbitrary: inner },
  { weight: 2, arbitrary: fc.array(fc.oneof(inner, inner, scalar), { maxLength: 3 }) }
)

/** Most have most of the fields, in any order. */
const body: fc.Arbitrary<Plain> = fc.tuple(fc.shuffledSubarray(['a', 'b', 'c', 'd', 'u'], { minLength: 3 }), fc.array(value, { minLength: 5, maxLength: 5 }))
  .map(([names, values]) => Object.fromEntries(names.map((name, i) => [name, values[i]!])))

const docs: fc.Arbitrary<Plain[]> = fc.oneof({ weight: 4, arbitrary: fc.array(body, { minLength: 5, maxLength: 12 }) }, fc.array(body, { maxLength: 5 })).map(bodies => bodies.map((body, i) => ({ _id: new Int32(i), ...body })))

const path = fc.constantFrom('a', 'a', 'a', 'a', 'a', 'b', 'b', 'b', 'a.b', 'a.b', 'a.c', 'b.c', 'c', 'u')
const filterPath = fc.oneof({ weight: 14, arbitrary: path }, fc.constantFrom('_id', 'a.b.c'))
const direction = fc.constantFrom<1 | -1>(1, -1)

const order = (maxLength: number): fc.Arbitrary<Order> => fc.oneof(
  { weight: 2, arbitrary: fc.tuple(path, direction).map(field => [field]) },
  { weight: 3, arbitrary: fc.uniqueArray(fc.tuple(path, direction), { minLength: 1, maxLength, selector: ([path]) => path }) }
).map(fields => Object.fromEntries(fields))

const bracketOperators: fc.Arbitrary<Condition> = fc.tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$eq'), scalar).map(([op, operand]) => ({ [op]: operand }))

/** Both ends of a range, mostly of the same type. */
const range: fc.Arbitrary<Condition> = fc.tuple(fc.constantFrom('$gt', '$gte'), fc.constantFrom('$lt', '$lte'), scalar, scalar)
  .map(([from, to, low, high]) => ({ [from]: low, [to]: high }))

const regex: fc.Arbitrary<RegExp> = fc.constantFrom(/^a/, /^ab/, /b$/, /a/i, /^é/, /^$/)

const itemCondition: fc.Arbitrary<Condition> = fc.oneof(bracketOperators, range, fc.array(scalar, { maxLength: 2 }).map($in => ({ $in })), scalar.map($ne => ({ $ne })))

const operators: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 8, arbitrary: bracketOperators },
  { weight: 8, arbitrary: range },
  { weight: 2, arbitrary: value.map($eq => ({ $eq })) },
  { weight: 2, arbitrary: value.map($ne => ({ $ne })) },
  { weight: 5, arbitrary: fc.array(value, { maxLength: 4 }).map($in => ({ $in })) },
  fc.array(value, { maxLength: 3 }).map($nin => ({ $nin })),
  { weight: 2, arbitrary: fc.boolean().map($exists => ({ $exists })) },
  fc.constantFrom('int', 'long', 'double', 'decimal', 'string', 'object', 'array', 'objectId', 'bool', 'date', 'null', 'number').map($type => ({ $type })),
  fc.integer({ min: 0, max: 3 }).map($size => ({ $size })),
  fc.array(value, { maxLength: 2 }).map($all => ({ $all })),
  regex.map($regex => ({ $regex })),
  { weight: 2, arbitrary: itemCondition.map($elemMatch => ({ $elemMatch })) },
  fc.tuple(fc.constantFrom('b', 'c'), fc.oneof(scalar, itemCondition)).map(([name, condition]) => ({ $elemMatch: { [name]: condition } })),
  fc.oneof(bracketOperators, range, scalar.map($eq => ({ $eq })), fc.array(scalar, { maxLength: 2 }).map($in => ({ $in })), regex.map($regex => ({ $regex }))).map($not => ({ $not }))
)

/** What finds something in most collections, and has a use for an index. */
const common: fc.Arbitrary<Condition> = fc.tuple(fc.constantFrom('a', 'a', 'a', 'b', 'b', 'a.b', 'u'), fc.oneof(
  { weight: 2, arbitrary: small },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte'), small).map(([op, operand]) => ({ [op]: operand })) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('$gt', '$gte'), fc.constantFrom('$lt', '$lte'), small, small).map(([from, to, low, high]) => ({ [from]: low, [to]: high })) },
  fc.array(fc.oneof({ weight: 4, arbitrary: small }, scalar), { minLength: 1, maxLength: 4 }).map($in => ({ $in })),
  fc.constant({ $gte: '' }), fc.constant({ $exists: true }), fc.constant(null)
)).map(([path, condition]) => ({ [path]: condition }))

const anyLeaf: fc.Arbitrary<Condition> = fc.tuple(filterPath, fc.oneof({ weight: 3, arbitrary: value }, { weight: 4, arbitrary: operators })).map(([path, condition]) => ({ [path]: condition }))

const leaf = fc.oneof({ weight: 3, arbitrary: common }, { weight: 2, arbitrary: anyLeaf })

const together: fc.Arbitrary<Condition> = fc.oneof({ weight: 5, arbitrary: leaf.map(part => [part]) }, fc.array(leaf, { maxLength: 3 })).map(parts => Object.assign({}, ...parts) as Condition)

const filter: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 6, arbitrary: leaf },
  { weight: 3, arbitrary: together },
  fc.tuple(leaf, fc.constantFrom('$and', '$or', '$nor'), fc.array(leaf, { minLength: 1, maxLength: 3 })).map(([outer, op, parts]) => ({ ...outer, [op]: parts })),
  fc.array(common, { minLength: 1, maxLength: 3 }).map(parts => ({ $or: parts })),
  fc.tuple(together, fc.constantFrom('$and', '$or', '$or', '$nor'), fc.array(together, { minLength: 1, maxLength: 3 })).map(([outer, op, parts]) => ({ ...outer, [op]: parts })),
  fc.tuple(fc.array(leaf, { minLength: 1, maxLength: 3 }), fc.array(leaf, { minLength: 1, maxLength: 2 })).map(([some, all]) => ({ $and: [{ $or: some }, ...all] }))
)

const partial: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'a.b').map(path => ({ [path]: { $exists: true } })),
  fc.tuple(fc.constantFrom('a', 'b', 'c', 'a.b'), bracketOperators).map(([path, condition]) => ({ [path]: condition })),
  fc.constantFrom('a', 'b').map(path => ({ [path]: { $type: 'int' } }))
)

const index: fc.Arbitrary<IndexSpec> = fc.oneof(
  { weight: 6, arbitrary: order(3).map(key => ({ key })) },
  { weight: 2, arbitrary: order(2).map(key => ({ key, sparse: true as const })) },
  { weight: 3, arbitrary: fc.tuple(order(2), partial).map(([key, partialFilterExpression]) => ({ key, partialFilterExpression })) },
  fc.constant({ key: { u: 1 as const }, unique: true as const }),
  fc.constant({ key: { u: 1 as const, a: -1 as const }, unique: true as const }),
  fc.constant({ key: { u: -1 as const }, unique: true as const, sparse: true as const })
)

const target = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e') },
  { weight: 3, arbitrary: fc.constantFrom('a.b', 'b.c', 'e.f', 'e.a') },
  fc.constantFrom('a.0', 'a.1', 'b.2', 'a.0.b')
)

const operand: fc.Arbitrary<[string, unknown]> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('$set', '$min', '$max', '$push', '$addToSet'), value) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('$inc'), fc.constantFrom<Val>(new Int32(1), new Int32(2), new Int32(2147483647), new Double(1.5), Long.fromString('3'), Long.fromString('9223372036854775807'))) },
  fc.constant<[string, unknown]>(['$unset', '']),
  fc.tuple(fc.constant('$pull'), fc.oneof(scalar, bracketOperators)),
  fc.tuple(fc.constant('$addToSet'), fc.array(value, { maxLength: 3 }).map($each => ({ $each }))),
  fc.tuple(fc.constant('$push'), fc.record({
    $each: fc.array(scalar, { maxLength: 3 }), $position: fc.integer({ min: -3, max: 3 }), $sort: direction, $slice: fc.integer({ min: -3, max: 3 })
  }, { requiredKeys: ['$each'] }))
)

const touchesNoOther = (paths: readonly string[]) => paths.every((a, i) => paths.every((b, j) => i === j || (a !== b && !b.startsWith(`${a}.`))))

const step = fc.tuple(target, operand).map(([path, [op, operand]]) => [op, path, operand] as const)

const update: fc.Arbitrary<Update> = fc.oneof(
  { weight: 8, arbitrary: fc.array(step, { minLength: 1, maxLength: 3 }) },
  fc.tuple(fc.constantFrom('a', 'b', 'd'), fc.constantFrom('r', 's')).map(([from, to]) => [['$rename', from, to] as const])
).filter(steps => touchesNoOther(steps.map(([, path]) => path))).map(steps => {
  const result: Update = {}
  for (const [op, path, operand] of steps) (result[op] ??= {})[path] = operand
  return result
})

const uniqueUpdate: fc.Arbitrary<Update> = fc.oneof(
  value.map(u => ({ $set: { u } })),
  fc.constant({ $unset: { u: '' } }),
  fc.tuple(scalar, value).map(([u, a]) => ({ $set: { u, a } }))
)

const id = fc.integer({ min: 0, max: 13 }).map(n => new Int32(n))
const one = fc.oneof({ weight: 3, arbitrary: id.map(_id => ({ _id })) }, fc.tuple(id, filter).map(([_id, filter]) => ({ $and: [{ _id }, filter] })))

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('update' as const), many: fc.constant(false), filter: one, update, upsert: fc.constant(false) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('update' as const), many: fc.constant(false), filter: one, update: uniqueUpdate, upsert: fc.constant(false) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('update' as const), many: fc.constant(true), filter, update, upsert: fc.constant(false) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('update' as const), many: fc.constant(false), filter: id.map(_id => ({ _id })), update: fc.oneof(update, uniqueUpdate, value.map(a => ({ $setOnInsert: { a } }))), upsert: fc.constant(true) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('replace' as const), filter: id.map(_id => ({ _id })), replacement: body, upsert: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('findAndUpdate' as const), filter, update, order: order(1), after: fc.boolean() }) },
  fc.record({ do: fc.constant('delete' as const), many: fc.constant(false), filter: one }),
  fc.record({ do: fc.constant('delete' as const), many: fc.constant(true), filter })
)

const projection: fc.Arbitrary<Record<string, 0 | 1>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.tuple(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'a.b', 'b.c', 'a.x'), { minLength: 1, maxLength: 3 }).filter(touchesNoOther), fc.constantFrom<0 | 1>(0, 1), fc.constantFrom(undefined, 0, 1))
    .map(([paths, kind, id]) => {
      const result: Record<string, 0 | 1> = {}
      for (const path of paths) result[path] = kind
      if (id === 0 || (id === 1 && kind === 1)) result._id = id
      return result
    })
)

const read: fc.Arbitrary<Read> = fc.record({
  filter,
  order: fc.oneof({ weight: 1, arbitrary: fc.constant({}) }, { weight: 3, arbitrary: order(3) }),
  tie: fc.boolean(),
  skip: fc.constantFrom(0, 0, 0, 1, 3),
  limit: fc.constantFrom(0, 0, 1, 2, 5),
  projection,
  hinted: fc.integer({ min: 0, max: 2 }),
  batchSize: fc.constantFrom(1, 2, 100)
})

export const aCase: fc.Arbitrary<Case> = fc.record({
  docs,
  indexes: fc.array(index, { minLength: 1, maxLength: 3 }),
  indexedFirst: fc.boolean(),
  changes: fc.array(change, { maxLength: 3 }),
  reads: fc.array(read, { minLength: 1, maxLength: 5 })
})
