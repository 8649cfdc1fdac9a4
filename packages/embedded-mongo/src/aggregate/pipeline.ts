/**
 * Aggregation pipelines. The planner takes over the leading `$match`, `$sort`, `$skip` and `$limit`. The stages after
 * them run here.
 */
import { group, parseAccumulator, type AccumulatorSpec } from './accumulators.ts'
import { mongoError, typeMismatch } from '../values/errors.ts'
import { parseExpression } from './expression.ts'
import { all, conjuncts, matches, parseFilter, type Filter } from '../filter/index.ts'
import type { IndexField } from '../keys/key-bytes.ts'
import { parseLookup } from './lookup.ts'
import { parseCount } from '../values/parse-count.ts'
import { parseProjection } from './projection.ts'
import { parseSort, sorted } from '../query/sort.ts'
import { PAUSE, type Flow } from '../values/slices.ts'
import { parseUnwind } from './unwind.ts'
import { docOf, int32, type Doc, type Value } from '../values/values.ts'

export interface PipelineContext {
  /** The documents of another collection that match a filter. */
  lookup: (from: string, filter: Filter) => Iterable<Doc>
}

/** `run` does the stage's work; with one of the other fields, the planner can do it instead. */
interface Stage {
  run: (docs: Flow, context: PipelineContext) => Flow
  filter?: Filter
  sort?: IndexField[]
  skip?: number
  limit?: number
}

/**
 * What the planner does (`filter`, then `sort`, `skip` and `limit`), and the `stages` that are left for `runPipeline`.
 */
export interface Pipeline {
  filter: Filter
  sort?: IndexField[]
  skip: number
  limit?: number
  stages: Stage[]
}

export function parsePipeline (specs: readonly Value[]): Pipeline {
  const stages = specs.map(parseStage)
  const filters: Filter[] = []
  const pipeline: Pipeline = { filter: { op: 'always' }, skip: 0, stages }
  // A match after a sort may be done before it.
  for (;;) {
    const [next] = stages
    if (next?.filter !== undefined) filters.push(next.filter)
    else if (next?.sort !== undefined && pipeline.sort === undefined) pipeline.sort = next.sort
    else break
    stages.shift()
  }
  if (stages[0]?.skip !== undefined) pipeline.skip = stages.shift()?.skip as number
  if (stages[0]?.limit !== undefined) pipeline.limit = stages.shift()?.limit as number
  pipeline.filter = all(filters.flatMap(conjuncts))
  return pipeline
}

/** Runs the stages after the leading ones on the documents that those returned. */
export function runPipeline (pipeline: Pipeline, docs: Flow, context: PipelineContext): Flow {
  return pipeline.stages.reduce((input, stage) => stage.run(input, context), docs)
}

function parseStage (spec: Value): Stage {
  if (!(spec instanceof Map)) throw typeMismatch('Each element of the \'pipeline\' array must be an object')
  if (spec.size !== 1) throw mongoError(40323, 'A pipeline stage specification object must contain exactly one field.')
  const [name, operand] = spec.entries().next().value as [string, Value]
  switch (name) {
    case '$match': {
      if (!(operand instanceof Map)) throw mongoError(15959, 'the match filter must be an expression in an object')
      const filter = parseFilter(operand)
      return { filter, run: docs => filtered(filter, docs) }
    }
    case '$sort': {
      if (!(operand instanceof Map)) throw mongoError(15973, 'the $sort key specification must be an object')
      if (operand.size === 0) throw mongoError(15976, '$sort stage must have at least one sort key')
      const sort = parseSort(operand)
      return { sort, run: docs => sorted(sort, docs) }
    }
    case '$skip': {
      const skip = parseCount('invalid argument to $skip stage:', name, operand, 5107200)
      return { skip, run: docs => sliced(skip, Infinity, docs) }
    }
    case '$limit': {
      const limit = parseCount('invalid argument to $limit stage:', name, operand, 5107201)
      if (limit === 0) throw mongoError(15958, 'the limit must be positive')
      return { limit, run: docs => sliced(0, limit, docs) }
    }
    case '$project': {
      if (!(operand instanceof Map)) throw mongoError(15969, '$project specification must be an object')
      const project = parseProjection(operand, { aggregate: true })
      return { run: docs => mapped(doc => [project(doc)], docs) }
    }
    case '$unwind': {
      const unwind = parseUnwind(operand)
      return { run: docs => mapped(unwind, docs) }
    }
    case '$lookup': {
      const { from, filterFor, join } = parseLookup(operand)
      return { run: (docs, { lookup }) => mapped(doc => [join(doc, [...lookup(from, filterFor(doc))])], docs) }
    }
    case '$group': return parseGroup(operand)
    case '$count': return parseCountStage(operand)
    default: throw mongoError(40324, `Unrecognized pipeline stage name: '${name}'`)
  }
}

function * filtered (filter: Filter, docs: Flow): Flow {
  for (const doc of docs) if (doc === PAUSE || matches(filter, doc)) yield doc
}

function * sliced (skip: number, limit: number, docs: Flow): Flow {
  let seen = 0
  for (const doc of docs) {
    if (doc === PAUSE || ++seen > skip) yield doc
    if (seen === skip + limit) return
  }
}

function * mapped (map: (doc: Doc) => Iterable<Doc>, docs: Flow): Flow {
  for (const doc of docs) {
    if (doc === PAUSE) yield doc
    else yield * map(doc)
  }
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
  return { run: docs => group(expression, fields, docs) }
}

function parseCountStage (operand: Value): Stage {
  if (typeof operand !== 'string') throw mongoError(40156, 'the count field must be a non-empty string')
  if (operand === '') throw mongoError(40157, 'the count field must be a non-empty string')
  if (operand.startsWith('$')) throw mongoError(40158, 'the count field cannot be a $-prefixed path')
  if (operand.includes('\0')) throw mongoError(40159, 'the count field cannot contain a null byte')
  if (operand === '_id') throw mongoError(40158, 'the count field cannot be \'_id\'')
  if (operand.includes('.')) throw mongoError(40160, 'the count field cannot contain \'.\'')
  const fields = new Map([[operand, parseAccumulator(operand, docOf({ $count: new Map() }))]])
  const project = parseProjection(docOf({ _id: int32(0) }))
  return { run: docs => mapped(doc => [project(doc)], group(() => null, fields, docs)) }
}
