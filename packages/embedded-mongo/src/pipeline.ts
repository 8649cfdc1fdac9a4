/** Aggregation pipelines. The leading `$match`, `$sort`, `$skip` and `$limit` are set apart for the planner; the stages after them run here. */
import { group, parseAccumulator, type AccumulatorSpec } from './accumulators.ts'
import { mongoError, typeMismatch } from './errors.ts'
import { parseExpression } from './expression.ts'
import { conjuncts, matches, parseFilter, type Filter } from './filter.ts'
import type { IndexField } from './key-bytes.ts'
import { lookupDocs, parseLookup, type Lookup } from './lookup.ts'
import { printField } from './print.ts'
import { parseProjection } from './projection.ts'
import { parseSort, sortComparator } from './sort.ts'
import { parseUnwind, unwind } from './unwind.ts'
import { int32, isNumeric, toInteger, type Doc, type Value } from './values.ts'

export interface PipelineContext {
  /** The documents of another collection that match a filter. */
  lookup: (from: string, filter: Filter) => Iterable<Doc>
}

type Stage =
  | { op: 'match', filter: Filter }
  | { op: 'sort', fields: IndexField[] }
  | { op: 'skip' | 'limit', count: number }
  | { op: 'transform', run: (docs: Iterable<Doc>) => Iterable<Doc> }
  | { op: 'lookup', lookup: Lookup }

/** What the planner answers (`filter`, then `sort`, then `skip`, then `limit`) and what is left for `runPipeline`. */
export interface Pipeline {
  filter: Filter
  sort?: IndexField[]
  skip: number
  limit?: number
  stages: Stage[]
  /** The other collections it reads. */
  lookups: string[]
}

export function parsePipeline (specs: readonly Value[]): Pipeline {
  const stages = specs.map(parseStage)
  const lookups = stages.flatMap(stage => stage.op === 'lookup' ? [stage.lookup.from] : [])
  const filters: Filter[] = []
  const pipeline: Pipeline = { filter: { op: 'always' }, skip: 0, stages, lookups }
  // A match after a sort may as well come before it.
  for (;;) {
    const [next] = stages
    if (next?.op === 'match') filters.push(next.filter)
    else if (next?.op === 'sort' && pipeline.sort === undefined) pipeline.sort = next.fields
    else break
    stages.shift()
  }
  if (stages[0]?.op === 'skip') pipeline.skip = (stages.shift() as { count: number }).count
  if (stages[0]?.op === 'limit') pipeline.limit = (stages.shift() as { count: number }).count
  const all = filters.flatMap(conjuncts)
  if (all.length > 0) pipeline.filter = all.length === 1 ? all[0] as Filter : { op: 'and', filters: all }
  return pipeline
}

/** Runs what follows the leading stages on the documents they gave. */
export function runPipeline (pipeline: Pipeline, docs: Iterable<Doc>, context: PipelineContext): Iterable<Doc> {
  return pipeline.stages.reduce<Iterable<Doc>>((input, stage) => runStage(stage, input, context), docs)
}

function runStage (stage: Stage, docs: Iterable<Doc>, context: PipelineContext): Iterable<Doc> {
  switch (stage.op) {
    case 'match': return filtered(stage.filter, docs)
    case 'sort': return sorted(stage.fields, docs)
    case 'skip': return skipped(stage.count, docs)
    case 'limit': return limited(stage.count, docs)
    case 'transform': return stage.run(docs)
    case 'lookup': return lookupDocs(stage.lookup, docs, context.lookup)
  }
}

function * filtered (filter: Filter, docs: Iterable<Doc>) {
  for (const doc of docs) if (matches(filter, doc)) yield doc
}

function * sorted (fields: IndexField[], docs: Iterable<Doc>) {
  yield * [...docs].sort(sortComparator(fields))
}

function * skipped (count: number, docs: Iterable<Doc>) {
  let left = count
  for (const doc of docs) if (left-- <= 0) yield doc
}

function * limited (count: number, docs: Iterable<Doc>) {
  let left = count
  for (const doc of docs) {
    yield doc
    if (--left === 0) return
  }
}

function * mapped (change: (doc: Doc) => Doc, docs: Iterable<Doc>) {
  for (const doc of docs) yield change(doc)
}

function parseStage (spec: Value): Stage {
  if (!(spec instanceof Map)) throw typeMismatch('Each element of the \'pipeline\' array must be an object')
  if (spec.size !== 1) throw mongoError(40323, 'A pipeline stage specification object must contain exactly one field.')
  const [name, operand] = spec.entries().next().value as [string, Value]
  switch (name) {
    case '$match':
      if (!(operand instanceof Map)) throw mongoError(15959, 'the match filter must be an expression in an object')
      return { op: 'match', filter: parseFilter(operand) }
    case '$sort':
      if (!(operand instanceof Map)) throw mongoError(15973, 'the $sort key specification must be an object')
      if (operand.size === 0) throw mongoError(15976, '$sort stage must have at least one sort key')
      return { op: 'sort', fields: parseSort(operand) }
    case '$skip': return { op: 'skip', count: parseCount(name, operand) }
    case '$limit': {
      const count = parseCount(name, operand)
      if (count === 0) throw mongoError(15958, 'the limit must be positive')
      return { op: 'limit', count }
    }
    case '$project': {
      if (!(operand instanceof Map)) throw mongoError(15969, '$project specification must be an object')
      const project = parseProjection(operand, { aggregate: true })
      return { op: 'transform', run: docs => mapped(project, docs) }
    }
    case '$group': return parseGroup(operand)
    case '$count': return parseCountStage(operand)
    case '$unwind': {
      const options = parseUnwind(operand)
      return { op: 'transform', run: docs => unwind(options, docs) }
    }
    case '$lookup': return { op: 'lookup', lookup: parseLookup(operand) }
    default: throw mongoError(40324, `Unrecognized pipeline stage name: '${name}'`)
  }
}

function parseCount (name: '$skip' | '$limit', operand: Value): number {
  const code = name === '$skip' ? 5107200 : 5107201
  const count = toInteger(operand)
  if (!isNumeric(operand)) throw mongoError(code, `invalid argument to ${name} stage: Expected a number in: ${printField(name, operand)}`)
  if (count === undefined) throw mongoError(code, `invalid argument to ${name} stage: Expected an integer: ${printField(name, operand)}`)
  if (count < 0) throw mongoError(code, `invalid argument to ${name} stage: Expected a non-negative number in: ${printField(name, operand)}`)
  return count
}

function parseGroup (operand: Value): Stage {
  if (!(operand instanceof Map)) throw mongoError(15947, 'a group\'s fields must be specified in an object')
  const id = operand.get('_id')
  if (id === undefined) throw mongoError(15955, 'a group specification must include an _id')
  const fields = new Map<string, AccumulatorSpec>()
  for (const [name, spec] of operand) {
    if (name === '_id') continue
    if (name.includes('.')) throw mongoError(40235, `The field name '${name}' cannot contain '.'`)
    if (name.startsWith('$')) throw mongoError(40236, `The field name '${name}' cannot be an operator name`)
    fields.set(name, parseAccumulator(name, spec))
  }
  const expression = parseExpression(id)
  return { op: 'transform', run: docs => group(expression, fields, docs) }
}

function parseCountStage (operand: Value): Stage {
  if (typeof operand !== 'string') throw mongoError(40156, 'the count field must be a non-empty string')
  if (operand === '') throw mongoError(40157, 'the count field must be a non-empty string')
  if (operand.startsWith('$')) throw mongoError(40158, 'the count field cannot be a $-prefixed path')
  if (operand.includes('\0')) throw mongoError(40159, 'the count field cannot contain a null byte')
  if (operand.includes('.')) throw mongoError(40160, 'the count field cannot contain \'.\'')
  return { op: 'transform', run: docs => counted(operand, docs) }
}

function * counted (name: string, docs: Iterable<Doc>): Iterable<Doc> {
  let count = 0
  const iterator = docs[Symbol.iterator]()
  while (iterator.next().done !== true) count++
  if (count > 0) yield new Map([[name, count > 0x7fffffff ? BigInt(count) : int32(count)]])
}
