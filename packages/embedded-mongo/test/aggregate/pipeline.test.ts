import fc from 'fast-check'
import t, { type Test } from 'tap'
import { compareValues, identical } from '../../src/keys/compare.ts'
import { matches, type Filter } from '../../src/filter/index.ts'
import { parsePipeline, runPipeline } from '../../src/aggregate/pipeline.ts'
import { printValue } from '../../src/values/print.ts'
import { parseProjection } from '../../src/aggregate/projection.ts'
import { parseSort, sorted } from '../../src/query/sort.ts'
import { PAUSE, type Flow } from '../../src/values/slices.ts'
import { Decimal128, MAX_KEY, MIN_KEY, UNDEFINED, type Doc, type Value } from '../../src/values/values.ts'
import { value } from '../helpers/arbitrary.ts'
import { d, v, type Plain } from '../helpers/plain.ts'

type Literal = { [name: string]: Plain }

const withoutPauses = (flow: Flow): Doc[] => [...flow].filter(doc => doc !== PAUSE)

const inOrder = (fields: Parameters<typeof sorted>[0], docs: Doc[]) => withoutPauses(sorted(fields, docs))

function same (t: Pick<Test, 'ok'>, found: Value, wanted: Value, title: string) {
  t.ok(identical(found, wanted), `${title} gives ${printValue(found)}`)
}

const projects = (t: Pick<Test, 'ok'>, spec: Literal, before: Literal, after: Literal, aggregate = false) =>
  same(t, parseProjection(d(spec), { aggregate })(d(before)), d(after), printValue(d(spec)))

t.test('an inclusion keeps the order of the document', async t => {
  const doc = { _id: 1, a: 1, b: { c: 1, d: 2 }, e: [{ c: 1, d: 2 }, 3, [{ c: 4 }]] }
  projects(t, { b: 1, a: 1 }, doc, { _id: 1, a: 1, b: { c: 1, d: 2 } })
  projects(t, { a: true, _id: 0 }, doc, { a: 1 })
  projects(t, { _id: 1 }, doc, { _id: 1 })
  projects(t, { 'b.c': 1 }, doc, { _id: 1, b: { c: 1 } })
  projects(t, { b: { d: 1 } }, doc, { _id: 1, b: { d: 2 } })
  projects(t, { 'e.c': 1 }, doc, { _id: 1, e: [{ c: 1 }, [{ c: 4 }]] })
  projects(t, { 'a.x': 1, 'b.x': 1 }, doc, { _id: 1, b: {} })
})

t.test('an exclusion keeps the other fields', async t => {
  const doc = { _id: 1, a: 1, b: { c: 1, d: 2 }, e: [{ c: 1, d: 2 }, 3] }
  projects(t, { a: 0, b: 0 }, doc, { _id: 1, e: [{ c: 1, d: 2 }, 3] })
  projects(t, { _id: 0 }, { _id: 1, a: 1 }, { a: 1 })
  projects(t, { 'b.c': 0, 'e.c': 0, a: 0 }, doc, { _id: 1, b: { d: 2 }, e: [{ d: 2 }, 3] })
})

t.test('computed fields follow the included ones', async t => {
  projects(t, { x: '$b.c', a: 1 }, { a: 1, b: { c: 5 } }, { a: 1, x: 5 }, true)
  projects(t, { x: '$none', y: { $literal: '$a' } }, { a: 1 }, { y: '$a' }, true)
  projects(t, { x: '$b.c' }, { b: [{ c: 1 }, {}, { c: 2 }, 3] }, { x: [1, 2] }, true)
  projects(t, { x: ['$a', '$none', 'b', { $literal: '$a' }] }, { a: 1 }, { x: [1, null, 'b', '$a'] }, true)
  projects(t, { x: '$$ROOT', y: 'text' }, { a: 1 }, { x: { a: 1 }, y: 'text' }, true)
})

t.test('an invalid projection is refused with MongoDB\'s code', async t => {
  const refused: [Literal, number][] = [
    [{ a: 1, b: 0 }, 31254], [{ a: 0, b: 1 }, 31253], [{ a: 1, 'a.b': 1 }, 31250], [{ 'a.b': 1, a: 1 }, 31249], [{ $a: 1 }, 16410], [{ 'a.': 1 }, 40353],
    [{ a: {} }, 51270], [{ a: { $foo: 1 } }, 168], [{ a: { $slice: 1 } }, 168], [{ 'a.$': 1 }, 238], [{ a: '$$foo' }, 17276], [{ a: '$$ROOT.b' }, 17276], [{ a: { $add: ['$b', 1] } }, 168],
    [{ a: { $eq: ['$b', 1] } }, 168], [{ a: { $cond: ['$b', 1, 2] } }, 168], [{ a: { b: '$c' } }, 238]
  ]
  for (const [spec, code] of refused) t.throws(() => parseProjection(d(spec)), { code }, printValue(d(spec)))
})

t.test('an array sorts by its least or greatest item, a missing field as null', async t => {
  const sorted = (spec: Literal, values: Plain[]) => inOrder(parseSort(d(spec)), values.map(a => a === 'missing' ? d({}) : d({ a }))).map(doc => doc.get('a'))
  t.strictSame(sorted({ a: 1 }, [5, [1, 9], [], null, 2]), [[], null, [1, 9], 2, 5].map(item => v(item as Plain)))
  t.strictSame(sorted({ a: -1 }, [5, [1, 9], [], null, 2]), [[1, 9], 5, 2, null, []].map(item => v(item as Plain)))
  t.strictSame(sorted({ a: 1 }, [1, 'missing', 'x']), [undefined, v(1), 'x'])
  for (const [spec, code] of [[{ a: 2 }, 15975], [{ a: 'x' }, 15974], [{ 'a.': 1 }, 40353]] as [Literal, number][]) t.throws(() => parseSort(d(spec)), { code })
})

t.test('a sort agrees with a plain comparison of the fields', async t => {
  const scalar = value.filter(value => !Array.isArray(value))
  const doc = fc.tuple(scalar, scalar).map(([a, b]): Doc => new Map([['a', a], ['b', b]]))
  fc.assert(fc.property(fc.array(doc, { maxLength: 8 }), fc.constantFrom<1 | -1>(1, -1), fc.constantFrom<1 | -1>(1, -1), (docs, first, second) => {
    const fields = [{ path: 'a', direction: first }, { path: 'b', direction: second }]
    const plain = [...docs].sort((x, y) => compareValues(x.get('a'), y.get('a')) * first || compareValues(x.get('b'), y.get('b')) * second)
    const sorted = inOrder(fields, docs)
    return sorted.every((doc, i) => doc === plain[i])
  }))
  t.pass()
})

function runs (stages: Literal[], docs: Literal[], others: Literal[] = []) {
  const pipeline = parsePipeline(stages.map(d))
  const lookup = (_: string, filter: Filter) => others.map(d).filter(doc => matches(filter, doc))
  let input = docs.map(d).filter(doc => matches(pipeline.filter, doc))
  if (pipeline.sort !== undefined) input = inOrder(pipeline.sort, input)
  input = input.slice(pipeline.skip, pipeline.limit === undefined ? undefined : pipeline.skip + pipeline.limit)
  return withoutPauses(runPipeline(pipeline, input, { lookup }))
}

t.test('the planner runs the leading stages, the pipeline the others', async t => {
  const pipeline = parsePipeline([{ $match: { a: 1 } }, { $sort: { b: 1 } }, { $match: { c: 1 } }, { $skip: 1 }, { $limit: 2 }, { $skip: 1 }].map(d))
  t.match(pipeline, { filter: { op: 'and', filters: [{ path: 'a' }, { path: 'c' }] }, sort: [{ path: 'b', direction: 1 }], skip: 1, limit: 2, stages: [{ skip: 1 }] })
  t.match(parsePipeline([{ $limit: 2 }, { $match: { a: 1 } }].map(d)), { filter: { op: 'always' }, limit: 2, stages: [{ filter: { path: 'a' } }] })
  const docs = [3, 1, 2, 5].map(a => ({ a }))
  t.strictSame(runs([{ $limit: 3 }, { $sort: { a: 1 } }, { $skip: 1 }], docs), [{ a: 2 }, { a: 3 }].map(d))
  t.strictSame(runs([{ $sort: { a: -1 } }, { $limit: 2 }, { $match: { a: { $lt: 5 } } }], docs), [d({ a: 3 })])
})

t.test('$group keeps types, joins equal values of different types, and counts missing as null', async t => {
  const docs = [{ k: 1, n: 1 }, { k: 1n, n: 2.5 }, { k: 2, n: 2147483647 }, { k: 2, n: 1 }, { n: 'x' }, { k: null, n: 7 }]
  t.strictSame(runs([{ $group: { _id: '$k', sum: { $sum: '$n' }, n: { $sum: 1 }, max: { $max: '$n' } } }], docs), [
    d({ _id: 1, sum: 3.5, n: 2, max: 2.5 }), d({ _id: 2, sum: 2147483648n, n: 2, max: 2147483647 }), d({ _id: null, sum: 7, n: 2, max: 'x' })
  ])
  t.strictSame(runs([{ $group: { _id: null, first: { $first: '$k' }, last: { $last: '$k' }, all: { $push: '$k' }, c: { $count: {} }, min: { $min: '$none' } } }], docs), [
    d({ _id: null, first: 1, last: null, all: [1, 1n, 2, 2, null], c: 6, min: null })
  ])
  t.strictSame(runs([{ $group: { _id: { a: '$k', b: '$none' } } }], docs.slice(0, 1)), [d({ _id: { a: 1 } })])
  const sum = (...items: Plain[]) => runs([{ $group: { _id: null, s: { $sum: '$n' } } }], items.map(n => ({ n })))[0]?.get('s')
  t.equal(sum(0.1, 0.2, 0.3, -0.6), 2.7755575615628914e-17, 'the rounding of each addition is made good')
  t.throws(() => sum(Decimal128.fromString('0.1'), 1), { code: 238 })
  t.strictSame(sum(2n ** 63n - 1n, 1n), 2 ** 63)
  t.strictSame(sum(), undefined)
})

t.test('$unwind returns a document for each item', async t => {
  const docs = [{ a: [1, 2] }, { a: [] }, { a: 3 }, {}, { a: null }]
  t.strictSame(runs([{ $unwind: '$a' }], docs), [{ a: 1 }, { a: 2 }, { a: 3 }].map(d))
  t.strictSame(runs([{ $unwind: { path: '$a', preserveNullAndEmptyArrays: true } }], docs),
    [{ a: 1 }, { a: 2 }, {}, { a: 3 }, {}, { a: null }].map(d))
  t.strictSame(runs([{ $unwind: '$x.y' }], [{ x: { y: [1], z: 2 } }]), [d({ x: { y: 1, z: 2 } })])
})

t.test('$lookup joins by equality, matches each item of an array, and joins null with missing fields', async t => {
  const others = [{ k: 1, n: 'a' }, { k: [2, 3], n: 'b' }, { n: 'c' }]
  const joined = (doc: Literal) => (runs([{ $lookup: { from: 'o', localField: 'f', foreignField: 'k', as: 'r' } }], [doc], others)[0]?.get('r') as Doc[]).map(doc => doc.get('n'))
  t.strictSame(joined({ f: 1 }), ['a'])
  t.strictSame(joined({ f: [1, 3] }), ['a', 'b'])
  t.strictSame(joined({}), ['c'])
  t.strictSame(joined({ f: 9 }), [])
  t.throws(() => parsePipeline([d({ $lookup: { from: 'o', let: {}, pipeline: [], as: 'r' } })]), { code: 238 })
})

t.test('$count counts, and $project computes', async t => {
  t.strictSame(runs([{ $count: 'n' }], [{}, {}]), [d({ n: 2 })])
  t.strictSame(runs([{ $count: 'n' }], []), [])
  t.strictSame(runs([{ $project: { _id: 0, b: '$a' } }], [{ _id: 1, a: 5 }]), [d({ b: 5 })])
})

t.test('an invalid pipeline is refused with MongoDB\'s code', async t => {
  const refused: [Literal, number][] = [
    [{ $foo: 1 }, 40324], [{}, 40323], [{ $match: {}, $sort: {} }, 40323], [{ $match: 1 }, 15959], [{ $sort: {} }, 15976], [{ $limit: 0 }, 15958], [{ $limit: 'x' }, 5107201],
    [{ $skip: -1 }, 5107200], [{ $group: { a: { $sum: 1 } } }, 15955], [{ $group: { _id: 1, a: { $foo: 1 } } }, 15952], [{ $group: { _id: 1, a: 1 } }, 40234],
    [{ $count: '' }, 40157], [{ $unwind: 'a' }, 28818], [{ $unwind: { path: '$a', includeArrayIndex: 'i' } }, 28811], [{ $group: { _id: 1, a: { $addToSet: '$b' } } }, 15952], [{ $project: { a: { $foo: 1 } } }, 168]
  ]
  for (const [stage, code] of refused) t.throws(() => parsePipeline([d(stage)]), { code }, printValue(d(stage)))
  t.throws(() => parsePipeline([1]), { code: 14 })
})

t.test('$min and $max find the extremes of the order', async t => {
  const docs = [MIN_KEY, 5, 'x', MAX_KEY, UNDEFINED, null].map(a => ({ a }))
  t.strictSame(runs([{ $group: { _id: null, min: { $min: '$a' }, max: { $max: '$a' } } }], docs), [new Map<string, Value>([['_id', null], ['min', MIN_KEY], ['max', MAX_KEY]])])
})
