import fc from 'fast-check'
import t, { type Test } from 'tap'
import { compareValues } from '../../src/keys/compare.ts'
import { coveredBy, implies, intervalsFor, matches, parseFilter } from '../../src/filter/index.ts'
import { indexKeys, encodeKey, rangeBounds } from '../../src/keys/key-bytes.ts'
import { extractKeys } from '../../src/keys/extract.ts'
import { printDoc } from '../../src/values/print.ts'
import { BsonUndefined, Decimal128, MAX_KEY, MIN_KEY, Regex, Sym, TYPE, UNDEFINED, int32, isNumeric, typeOf, type Doc, type Value } from '../../src/values/values.ts'
import { d, type Plain } from '../helpers/plain.ts'

type Literal = { [name: string]: Plain }

function check (t: Pick<Test, 'ok' | 'notOk'>, query: Literal, yes: Literal[], no: Literal[]) {
  const filter = parseFilter(d(query))
  const text = printDoc(d(query))
  for (const doc of yes) t.ok(matches(filter, d(doc)), `${text} matches ${printDoc(d(doc))}`)
  for (const doc of no) t.notOk(matches(filter, d(doc)), `${text} does not match ${printDoc(d(doc))}`)
}

t.test('equality matches values, items of arrays, and whole arrays', async t => {
  check(t, { a: 1 }, [{ a: 1 }, { a: [2, 1] }, { a: Decimal128.fromString('1.0') }], [{ a: '1' }, { a: [[1]] }, {}, { a: true }])
  check(t, { a: [1, 2] }, [{ a: [1, 2] }, { a: [[1, 2], 3] }], [{ a: [2, 1] }, { a: [1, 2, 3] }, { a: 1 }])
  check(t, { a: { b: 1, c: 2 } }, [{ a: { b: 1, c: 2 } }, { a: [{ b: 1, c: 2 }] }], [{ a: { c: 2, b: 1 } }, { a: { b: 1, c: 2, d: 3 } }])
  check(t, { a: {} }, [{ a: {} }], [{}, { a: { b: 1 } }, { a: [] }])
  check(t, { a: NaN }, [{ a: NaN }], [{ a: 0 }, { a: null }])
})

t.test('null matches null and missing fields, but neither undefined nor missing items of an array', async t => {
  check(t, { a: null }, [{}, { a: null }, { a: [null] }], [{ a: UNDEFINED }, { a: [UNDEFINED] }, { a: [] }])
  check(t, { a: null }, [], [{ a: 0 }, { a: [1] }])
  check(t, { 'a.b': null }, [{}, { a: 1 }, { a: {} }, { a: [{}] }, { a: [{ b: 1 }, {}] }], [{ a: [] }, { a: [1] }, { a: { b: [] } }, { a: [{ b: 1 }] }])
  check(t, { a: { $ne: null } }, [{ a: UNDEFINED }, { a: [] }, { a: 0 }], [{}, { a: [null, 1] }])
  check(t, { a: { $gte: null } }, [{}, { a: null }], [{ a: UNDEFINED }, { a: 1 }])
  check(t, { a: { $gt: null } }, [], [{}, { a: null }, { a: 1 }])
})

t.test('dotted paths reach into arrays of documents, also by position', async t => {
  check(t, { 'a.b': 1 }, [{ a: { b: 1 } }, { a: [{ b: 1 }] }, { a: [{ b: [1] }] }], [{ a: [[{ b: 1 }]] }, { 'a.b': 1 }])
  check(t, { 'a.1': 5 }, [{ a: [0, 5] }, { a: { 1: 5 } }, { a: [{ 1: 5 }] }], [{ a: [5] }, { a: [0, [5]] }])
  check(t, { 'a.0.b': 1 }, [{ a: [{ b: 1 }] }, { a: [[{ b: 1 }]] }], [{ a: [{ b: 2 }, { b: 1 }] }])
  check(t, { 'a.b.c': 1 }, [{ a: [{ b: [{ c: 1 }] }] }], [{ a: [{ b: 1 }] }])
})

t.test('comparisons match values of the same type only', async t => {
  check(t, { a: { $gt: 5 } }, [{ a: 6 }, { a: 7n }, { a: [1, 9] }, { a: Infinity }], [{ a: '6' }, { a: 5 }, { a: NaN }, {}, { a: [[6]] }])
  check(t, { a: { $lt: 'b' } }, [{ a: 'a' }, { a: new Sym('a') }], [{ a: 1 }, { a: 'b' }, { a: null }])
  check(t, { a: { $lte: false } }, [{ a: false }], [{ a: 0 }, { a: true }, {}])
  check(t, { a: { $gte: [2] } }, [{ a: [2] }, { a: [3] }, { a: [[2, 1]] }], [{ a: 2 }, { a: [1] }])
  check(t, { a: { $lt: NaN } }, [], [{ a: 1 }, { a: NaN }])
  check(t, { a: { $lte: NaN } }, [{ a: NaN }], [{ a: 1 }])
  check(t, { a: { $gt: MIN_KEY } }, [{ a: 1 }, {}], [{ a: MIN_KEY }])
  check(t, { a: { $lt: MAX_KEY } }, [{ a: 'x' }], [{ a: MAX_KEY }])
})

t.test('a negation matches exactly what its opposite does not match', async t => {
  check(t, { a: { $ne: 1 } }, [{}, { a: 2 }, { a: [2] }], [{ a: 1 }, { a: [2, 1] }])
  check(t, { a: { $nin: [1, null] } }, [{ a: 2 }, { a: [] }], [{}, { a: [1] }])
  check(t, { a: { $not: { $gt: 1 } } }, [{}, { a: 'x' }, { a: 1 }], [{ a: 2 }])
  check(t, { a: { $not: { $gt: 1, $lt: 5 } } }, [{ a: 5 }, {}], [{ a: 2 }, { a: [0, 9] }])
  check(t, { $nor: [{ a: 1 }, { b: 1 }] }, [{}, { a: 2 }], [{ a: 1 }, { b: 1 }])
})

t.test('the other operators match as in MongoDB', async t => {
  check(t, { a: { $exists: true } }, [{ a: null }, { a: [] }], [{}, { b: 1 }])
  check(t, { 'a.b': { $exists: false } }, [{}, { a: [] }, { a: [1] }, { a: 1 }], [{ a: [{}, { b: 1 }] }])
  check(t, { a: { $in: [1, 'x', new Regex('^y')] } }, [{ a: 1n }, { a: ['x'] }, { a: 'yes' }], [{ a: 'no' }, {}])
  check(t, { a: { $in: [[1], null] } }, [{ a: [1] }, {}, { a: null }], [{ a: 1 }, { a: [] }])
  check(t, { a: { $size: 2 } }, [{ a: [1, 2] }], [{ a: [1] }, { a: [[1, 2]] }, {}])
  check(t, { a: { $all: [1, 2] } }, [{ a: [2, 3, 1] }], [{ a: [1] }, {}])
  check(t, { a: { $all: [] } }, [], [{ a: [] }, {}])
  check(t, { a: { $elemMatch: { b: 1, c: 1 } } }, [{ a: [{ b: 1, c: 1 }] }], [{ a: [{ b: 1 }, { c: 1 }] }, { a: { b: 1, c: 1 } }])
  check(t, { a: { $elemMatch: { $gt: 1, $lt: 3 } } }, [{ a: [0, 2] }], [{ a: [0, 4] }, { a: 2 }])
  check(t, { a: { $type: 'number' } }, [{ a: 1 }, { a: 1.5 }, { a: ['x', 1n] }], [{ a: '1' }, {}])
  check(t, { a: { $type: 'array' } }, [{ a: [] }, { a: [[1]] }], [{ a: 1 }])
  check(t, { a: { $type: [2, 'bool'] } }, [{ a: 'x' }, { a: true }], [{ a: 1 }])
  check(t, { $and: [{ a: 1 }, { $or: [{ b: 1 }, { c: 1 }] }] }, [{ a: 1, c: 1 }], [{ a: 1 }, { b: 1 }])
})

t.test('an invalid query is refused with MongoDB\'s code', async t => {
  const refused: [Literal, number][] = [
    [{ $foo: 1 }, 2], [{ a: { $foo: 1 } }, 2], [{ a: { $gt: 1, b: 1 } }, 2], [{ $and: [] }, 2], [{ $or: [1] }, 2], [{ $and: 1 }, 2],
    [{ a: { $in: 1 } }, 2], [{ a: { $in: [{ $gt: 1 }] } }, 2], [{ a: { $not: 1 } }, 2], [{ a: { $not: {} } }, 2], [{ a: { $size: -1 } }, 2],
    [{ a: { $size: 1.5 } }, 2], [{ a: { $all: 1 } }, 2], [{ a: { $elemMatch: 1 } }, 2], [{ a: { $ne: new Regex('x') } }, 2],
    [{ a: { $gt: new Regex('x') } }, 2], [{ a: { $options: 'i' } }, 2], [{ a: { $regex: 1 } }, 2], [{ a: { $regex: 'a', $options: 'g' } }, 51108],
    [{ a: { $regex: '(' } }, 51091], [{ a: { $type: 'foo' } }, 2], [{ a: { $type: 0 } }, 2], [{ a: { $type: [] } }, 9], [{ a: { $type: true } }, 14],
    [{ a: UNDEFINED }, 2], [{ a: { $mod: [2, 1] } }, 238], [{ a: { $all: [{ $elemMatch: { b: 1 } }] } }, 238], [{ $where: '1' }, 238], [{ $expr: {} }, 238], [{ a: { $near: [] } }, 238]
  ]
  for (const [query, code] of refused) t.throws(() => parseFilter(d(query)), { code }, printDoc(d(query)))
})

// The properties below need values that meet often.
const leaf = fc.constantFrom<Value>(
  null, UNDEFINED, int32(1), 1, 2n, 1.5, NaN, -Infinity, '', 'a', 'ab', 'b', true, false, MIN_KEY, MAX_KEY, Decimal128.fromString('1'), new Regex('^a'), new Sym('a')
)
const some: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    { weight: 4, arbitrary: leaf },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.uniqueArray(fc.tuple(fc.constantFrom('b', 'c', '0'), tie('value')), { maxLength: 2, selector: ([name]) => name }).map(fields => new Map(fields)) }
  )
})).value
const someDoc: fc.Arbitrary<Doc> = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b'), some), { maxLength: 2, selector: ([name]) => name }).map(fields => new Map(fields))
const path = fc.constantFrom('a', 'b', 'a.b', 'a.b.c', 'a.0', 'a.0.b')
const ordinary = some.filter(value => !(value instanceof BsonUndefined) && !(value instanceof Regex))
const plainOperand = ordinary.filter(value => !(value instanceof Map && [...value.keys()].some(name => name.startsWith('$'))))

const condition: fc.Arbitrary<Doc> = fc.oneof(
  fc.tuple(fc.constantFrom('$eq', '$ne', '$lt', '$lte', '$gt', '$gte'), plainOperand),
  fc.tuple(fc.constantFrom('$in', '$nin'), fc.array(plainOperand, { maxLength: 3 })),
  fc.tuple(fc.constant('$exists'), fc.boolean()),
  fc.tuple(fc.constant('$size'), fc.nat(2).map(int32)),
  fc.tuple(fc.constant('$type'), fc.constantFrom<Value>('number', 'string', 'array', 'null', 'object')),
  fc.tuple(fc.constant('$regex'), fc.constantFrom<Value>('^a', '^ab', 'b', '^'))
).map(([name, operand]) => new Map<string, Value>([[name, operand]]))
const elemMatch: fc.Arbitrary<Doc> = fc.oneof(condition, fc.tuple(fc.constantFrom('b', 'c'), condition).map(([name, inner]) => new Map<string, Value>([[name, inner]])))
  .map(inner => new Map<string, Value>([['$elemMatch', inner]]))
const clause: fc.Arbitrary<Doc> = fc.tuple(path, fc.oneof({ weight: 5, arbitrary: condition }, { weight: 1, arbitrary: elemMatch },
  { weight: 1, arbitrary: condition.map(inner => new Map<string, Value>([['$not', inner]])) }))
  .map(([name, inner]) => new Map<string, Value>([[name, inner]]))
const conjunction: fc.Arbitrary<Doc> = fc.array(clause, { minLength: 1, maxLength: 3 }).map(clauses => new Map<string, Value>([['$and', clauses]]))

/** All that a path yields by MongoDB's rules, one list for the whole document: a second, plainer formulation of the traversal. */
function yields (value: Value | undefined, parts: readonly string[]): { value: Value | undefined, item: boolean }[] {
  const [part, ...rest] = parts
  if (part === undefined) return Array.isArray(value) ? [...value.map(item => ({ value: item, item: true })), { value, item: false }] : [{ value, item: false }]
  if (value instanceof Map) return yields(value.get(part), rest)
  if (!Array.isArray(value)) return [{ value: undefined, item: false }]
  return value.flatMap((item, i) => {
    const inside = item instanceof Map ? yields(item, parts) : []
    if (String(i) !== part) return inside
    if (rest.length === 0) return [...inside, { value: item, item: false }]
    return item instanceof Map || Array.isArray(item) ? [...inside, ...yields(item, rest)] : inside
  })
}

const bracket = (value: Value) => isNumeric(value) ? 'number' : value instanceof Sym ? TYPE.string : typeOf(value)
const isNaNValue = (value: Value) => isNumeric(value) && compareValues(value, NaN) === 0

function naive (operator: string, operand: Value, doc: Doc, path: string): boolean {
  const found = yields(doc, path.split('.'))
  const any = (test: (value: Value | undefined) => boolean) => found.some(({ value }) => test(value))
  const equal = (value: Value | undefined, other: Value) =>
    other === null ? value === undefined || value === null : value !== undefined && bracket(value) === bracket(other) && compareValues(value, other) === 0
  const ordered = (test: (order: number) => boolean, orEqual: boolean) => any(value => {
    if (operand === null) return orEqual && equal(value, null)
    if (operand === MIN_KEY || operand === MAX_KEY) {
      return value === operand ? orEqual : test(operand === MIN_KEY ? 1 : -1)
    }
    if (value === undefined || bracket(value) !== bracket(operand)) return false
    return isNaNValue(value) || isNaNValue(operand) ? orEqual && isNaNValue(value) && isNaNValue(operand) : test(compareValues(value, operand))
  })
  switch (operator) {
    case '$eq': return any(value => equal(value, operand))
    case '$ne': return !naive('$eq', operand, doc, path)
    case '$in': return (operand as Value[]).some(item => naive('$eq', item, doc, path))
    case '$nin': return !naive('$in', operand, doc, path)
    case '$lt': return ordered(order => order < 0, false)
    case '$lte': return ordered(order => order <= 0, true)
    case '$gt': return ordered(order => order > 0, false)
    case '$gte': return ordered(order => order >= 0, true)
    case '$exists': return any(value => value !== undefined) === operand
    default: throw new Error(operator)
  }
}

t.test('matching agrees with a plain evaluation of the values at a path', async t => {
  const compared = fc.oneof(
    fc.tuple(fc.constantFrom('$eq', '$ne', '$lt', '$lte', '$gt', '$gte'), plainOperand),
    fc.tuple(fc.constantFrom('$in', '$nin'), fc.array(plainOperand, { maxLength: 4 })),
    fc.tuple(fc.constant('$exists'), fc.boolean())
  )
  fc.assert(fc.property(someDoc, path, compared, (doc, path, [operator, operand]) => {
    const filter = parseFilter(new Map([[path, new Map<string, Value>([[operator, operand]])]]))
    return matches(filter, doc) === naive(operator, operand, doc, path)
  }), { numRuns: 20000 })
  t.pass()
})

const indexPath = fc.constantFrom('a', 'a.b', 'a.b.c', 'b')
const inRange = (key: Buffer, ranges: { lower: Buffer, upper: Buffer }[]) => ranges.some(({ lower, upper }) => Buffer.compare(key, lower) >= 0 && Buffer.compare(key, upper) < 0)

t.test('a matching document has a key within the bounds, and exact bounds contain no others', async t => {
  let bounded = 0
  fc.assert(fc.property(someDoc, conjunction, indexPath, fc.constantFrom<1 | -1>(1, -1), (doc, query, path, direction) => {
    const fields = [{ path, direction }]
    const filter = parseFilter(query)
    const { keys, arrays } = indexKeys(fields, doc)
    const bounds = intervalsFor(filter, path, arrays.length > 0)
    if (bounds === null) return
    bounded++
    const ranges = bounds.intervals.map(interval => rangeBounds(fields, [], interval))
    const inside = keys.some(key => inRange(key, ranges))
    const matching = matches(filter, doc)
    if (matching && !inside) throw new Error('a matching document lies outside')
    if (bounds.exact && coveredBy(filter, [path]) && inside && !matching) throw new Error('exact bounds hold a document that does not match')
  }), { numRuns: 20000 })
  t.ok(bounded > 1000)
})

t.test('compound bounds contain every matching document, unless items of one array satisfy them', async t => {
  const paths = ['a.b', 'a.c', 'b'] as const
  fc.assert(fc.property(someDoc, conjunction, (doc, query) => {
    const filter = parseFilter(query)
    if (!matches(filter, doc)) return
    let rows: (Value | undefined)[][]
    try {
      rows = extractKeys(paths, doc)
    } catch {
      return
    }
    // Without the second field of the same array.
    for (const columns of [[0, 2], [1, 2]]) {
      const ok = rows.some(row => columns.every(column => {
        const bounds = intervalsFor(filter, paths[column] as string, true)
        const fields = [{ path: 'x', direction: 1 as const }]
        return bounds === null || inRange(encodeKey([row[column]], fields), bounds.intervals.map(interval => rangeBounds(fields, [], interval)))
      }))
      if (!ok) throw new Error('a matching document has no key within all bounds')
    }
  }), { numRuns: 10000 })
  t.pass()
})

t.test('the conditions of a partial index need no further check on its documents', async t => {
  let spared = 0
  const clause = fc.tuple(fc.constantFrom('a', 'b'), fc.oneof(
    fc.tuple(fc.constantFrom('$eq', '$lt', '$gte'), plainOperand), fc.tuple(fc.constant('$exists'), fc.boolean()), fc.tuple(fc.constant('$in'), fc.array(plainOperand, { maxLength: 3 }))
  )).map(([path, [name, operand]]) => new Map<string, Value>([[path, new Map<string, Value>([[name, operand]])]]))
  fc.assert(fc.property(someDoc, fc.array(clause, { minLength: 1, maxLength: 2 }), clause, fc.boolean(), (doc, clauses, other, same) => {
    const filter = parseFilter(new Map<string, Value>([['$and', clauses]]))
    const partial = parseFilter(same ? clauses[0]! : other)
    if (!coveredBy(filter, [], partial)) return
    spared++
    if (matches(partial, doc) && !matches(filter, doc)) throw new Error('a document of the partial index does not match')
  }), { numRuns: 10000 })
  t.ok(spared > 1000)
})

t.test('a partial index that a query implies contains every document of the query', async t => {
  let implied = 0
  const partialClause = fc.tuple(fc.constantFrom('a', 'a.b'), fc.oneof(
    fc.tuple(fc.constantFrom('$eq', '$lt', '$lte', '$gt', '$gte'), plainOperand), fc.tuple(fc.constant('$exists'), fc.constant(true)),
    fc.tuple(fc.constant('$in'), fc.array(plainOperand, { maxLength: 3 })), fc.tuple(fc.constant('$type'), fc.constantFrom<Value>('number', 'string'))
  )).map(([path, [name, operand]]) => new Map<string, Value>([[path, new Map<string, Value>([[name, operand]])]]))
  const partialQuery = fc.oneof(partialClause, fc.tuple(fc.constantFrom('$and', '$or'), fc.array(partialClause, { minLength: 1, maxLength: 2 }))
    .map(([name, clauses]) => new Map<string, Value>([[name, clauses]])))
  fc.assert(fc.property(someDoc, fc.oneof(conjunction, partialQuery), partialQuery, (doc, query, partial) => {
    const filter = parseFilter(query)
    if (!implies(filter, parseFilter(partial))) return true
    implied++
    return !matches(filter, doc) || matches(parseFilter(partial), doc)
  }), { numRuns: 20000 })
  t.ok(implied > 100)
})

t.test('a partial index is used for these queries and no others', async t => {
  const told = (query: Literal, partial: Literal) => implies(parseFilter(d(query)), parseFilter(d(partial)))
  t.ok(told({ a: 5, b: 1 }, { a: { $exists: true } }))
  t.ok(told({ a: 5 }, { a: { $gt: 3 } }))
  t.ok(told({ a: { $gte: 3, $lt: 9 } }, { a: { $gte: 3 } }))
  t.ok(told({ a: { $in: [4, 5] } }, { a: { $gt: 3 } }))
  t.ok(told({ a: { $ne: null } }, { a: { $exists: true } }))
  t.notOk(told({ 'a.b': { $ne: null } }, { 'a.b': { $exists: true } }), 'an item that is no document has neither null nor the field')
  t.ok(told({ a: 1, b: 2 }, { b: 2, a: 1 }))
  t.notOk(told({ a: null }, { a: { $exists: true } }))
  t.notOk(told({ a: { $in: [1, null] } }, { a: { $exists: true } }))
  t.notOk(told({ a: 3 }, { a: { $gt: 3 } }))
  t.notOk(told({ a: 'x' }, { a: { $gt: 3 } }))
  t.notOk(told({ b: 1 }, { a: { $exists: true } }))
  t.notOk(told({}, { a: 1 }))
})

t.test('common conditions have these bounds', async t => {
  const bounds = (query: Literal, multikey = false) => intervalsFor(parseFilter(d(query)), 'a', multikey)
  t.match(bounds({ a: { $gt: 1, $lte: 9 }, b: 1 }), { intervals: [{ lower: int32(1), lowerInclusive: false, upper: int32(9), upperInclusive: true }], exact: true })
  t.equal(bounds({ a: { $gt: 1, $lt: 9 } }, true)?.exact, false, 'two items of an array may meet one bound each')
  t.match(bounds({ a: { $in: [3, 1, 3] } })?.intervals.map(({ lower }) => lower), [int32(1), int32(3)])
  t.strictSame(bounds({ a: 5, $and: [{ a: 6 }] }), { intervals: [], exact: true })
  t.match(bounds({ a: { $regex: '^ab' } })?.intervals[0], { lower: 'ab', upper: 'ac' })
  t.equal(bounds({ a: { $regex: 'ab' } })?.exact, false)
  t.match(bounds({ a: [null, 1] })?.intervals[0], { lower: null, upper: null }, 'the key of the first item')
  t.equal(bounds({ b: 1 }), null)
  t.equal(bounds({ a: { $ne: 1 } }), null)
})
