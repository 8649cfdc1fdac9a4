/**
 * A second opinion on queries, orders and keys: evaluates them document by document on the driver's own values, with
 * neither planner nor index nor byte keys, and shares no line with the engine. Slow and plain on purpose.
 */
import { Decimal128, Double, EJSON, Int32, Long, ObjectId } from 'bson'

export type Val = null | boolean | string | Int32 | Double | Long | Decimal128 | ObjectId | Date | Val[] | { [name: string]: Val }
export type Plain = { [name: string]: Val }
export type Condition = { [name: string]: unknown }

/** The key of an empty array, below null. */
const EMPTY = Symbol('empty')
export type Key = Val | typeof EMPTY

export const text = (value: unknown): string => EJSON.stringify({ value }, { relaxed: false })

export function isPlain (value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date) && !('_bsontype' in value)
}

function isNumber (value: unknown): value is Int32 | Double | Long | Decimal128 {
  return value instanceof Int32 || value instanceof Double || value instanceof Long || value instanceof Decimal128
}

/** Twice the number, exactly: all numbers of these tests are multiples of a half. */
function twice (value: Int32 | Double | Long | Decimal128): bigint | 'NaN' | 'Infinity' | '-Infinity' {
  if (value instanceof Long) return value.toBigInt() * 2n
  const number = value instanceof Decimal128 ? Number(value.toString()) : value.valueOf()
  if (Number.isNaN(number)) return 'NaN'
  if (!Number.isFinite(number)) return number > 0 ? 'Infinity' : '-Infinity'
  return BigInt(number * 2)
}

export const isNaN_ = (value: unknown): boolean => isNumber(value) && twice(value) === 'NaN'

const TYPES: readonly [(value: unknown) => boolean, string][] = [
  [value => value === EMPTY, 'undefined'],
  [value => value === null, 'null'],
  [isNumber, 'number'],
  [value => typeof value === 'string', 'string'],
  [isPlain, 'object'],
  [Array.isArray, 'array'],
  [value => value instanceof ObjectId, 'objectId'],
  [value => typeof value === 'boolean', 'bool'],
  [value => value instanceof Date, 'date']
]

const rank = (value: unknown): number => TYPES.findIndex(([is]) => is(value))

export function compare (a: Key, b: Key): number {
  if (a === EMPTY || b === EMPTY || rank(a) !== rank(b)) return rank(a) - rank(b)
  if (isNumber(a)) return compareNumbers(twice(a), twice(b as Int32))
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (Array.isArray(a)) return compareFields(a.map(item => ['', item]), (b as Val[]).map(item => ['', item]))
  if (isPlain(a)) return compareFields(Object.entries(a), Object.entries(b as Plain))
  if (a instanceof ObjectId) return Buffer.compare(Buffer.from(a.toHexString()), Buffer.from((b as ObjectId).toHexString()))
  return Number(a) - Number(b)
}

function compareNumbers (a: ReturnType<typeof twice>, b: ReturnType<typeof twice>): number {
  const order = (x: typeof a) => x === 'NaN' ? 0 : x === '-Infinity' ? 1 : x === 'Infinity' ? 3 : 2
  if (order(a) !== order(b)) return order(a) - order(b)
  return typeof a === 'bigint' && typeof b === 'bigint' ? (a < b ? -1 : a > b ? 1 : 0) : 0
}

function compareFields (a: [string, Val][], b: [string, Val][]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [[aName, aValue], [bName, bValue]] = [a[i]!, b[i]!]
    const order = rank(aValue) - rank(bValue) || Buffer.compare(Buffer.from(aName), Buffer.from(bName)) || compare(aValue, bValue)
    if (order !== 0) return order
  }
  return a.length - b.length
}

const isIndex = (part: string): boolean => /^\d+$/.test(part)

/** What a path leads to; undefined for a document on the way that lacks it. */
export function at (value: Val | undefined, parts: readonly string[]): (Val | undefined)[] {
  const [head, ...rest] = parts
  if (head === undefined) return [value]
  if (isPlain(value)) return at(Object.hasOwn(value, head) ? value[head] : undefined, rest)
  if (!Array.isArray(value)) return [undefined]
  const found = value.filter(isPlain).flatMap(item => at(item, parts))
  if (isIndex(head) && Number(head) < value.length) found.push(...at(value[Number(head)], rest))
  return found
}

/** What a comparison looks at: an array's items, and the array itself. */
function candidates (doc: Plain, path: string): (Val | undefined)[] {
  return at(doc, path.split('.')).flatMap(value => Array.isArray(value) ? [...value, value] : [value])
}

function compares (value: Val | undefined, op: string, operand: Val): boolean {
  const known = value === undefined ? null : value
  if (rank(known) !== rank(operand)) return false
  if (value === undefined && operand !== null) return false
  const order = compare(known, operand)
  const oneNaN = isNaN_(known) !== isNaN_(operand)
  switch (op) {
    case '$eq': return order === 0
    case '$gt': return order > 0 && !oneNaN
    case '$gte': return order >= 0 && !oneNaN
    case '$lt': return order < 0 && !oneNaN
    case '$lte': return order <= 0 && !oneNaN
    default: throw new Error(`no comparison ${op}`)
  }
}

function typeMatches (value: Val | undefined, name: string): boolean {
  if (value === undefined) return false
  const types: Record<string, boolean> = { int: value instanceof Int32, long: value instanceof Long, double: value instanceof Double, decimal: value instanceof Decimal128 }
  return types[name] ?? TYPES[rank(value)]![1] === name
}

/** One operator on one value, looked at by itself. */
function holds (value: Val | undefined, op: string, operand: unknown): boolean {
  switch (op) {
    case '$in': return (operand as Val[]).some(one => compares(value, '$eq', one))
    case '$type': return typeMatches(value, operand as string)
    case '$regex': return typeof value === 'string' && (operand as RegExp).test(value)
    case '$not': return !holdAll(value, operand as Condition)
    case '$ne': return !compares(value, '$eq', operand as Val)
    case '$nin': return !holds(value, '$in', operand)
    default: return compares(value, op, operand as Val)
  }
}

const holdAll = (value: Val | undefined, operators: Condition): boolean => Object.entries(operators).every(([op, operand]) => holds(value, op, operand))

function pathMatches (doc: Plain, path: string, op: string, operand: unknown): boolean {
  switch (op) {
    case '$ne': return !pathMatches(doc, path, '$eq', operand)
    case '$nin': return !pathMatches(doc, path, '$in', operand)
    case '$not': return !Object.entries(operand as Condition).every(([inner, value]) => pathMatches(doc, path, inner, value))
    case '$exists': return at(doc, path.split('.')).some(value => value !== undefined) === operand
    case '$size': return at(doc, path.split('.')).some(value => Array.isArray(value) && value.length === operand)
    case '$all': return (operand as Val[]).length > 0 && (operand as Val[]).every(one => pathMatches(doc, path, '$eq', one))
    case '$elemMatch': return at(doc, path.split('.')).some(value => Array.isArray(value) && value.some(item => itemMatches(item, operand as Condition)))
    default: return candidates(doc, path).some(value => holds(value, op, operand))
  }
}

function itemMatches (item: Val, condition: Condition): boolean {
  if (Object.keys(condition).every(name => name.startsWith('$'))) return holdAll(item, condition)
  // An array within the array stands for a document whose fields are its positions.
  const fields = Array.isArray(item) ? Object.fromEntries(item.map((value, position) => [String(position), value])) : item
  return isPlain(fields) && matchesFilter(fields, condition)
}

export const isOperators = (value: unknown): value is Condition => isPlain(value) && Object.keys(value)[0]?.startsWith('$') === true

export function matchesFilter (doc: Plain, filter: Condition): boolean {
  return Object.entries(filter).every(([name, value]) => {
    if (name === '$and') return (value as Condition[]).every(part => matchesFilter(doc, part))
    if (name === '$or') return (value as Condition[]).some(part => matchesFilter(doc, part))
    if (name === '$nor') return !(value as Condition[]).some(part => matchesFilter(doc, part))
    if (!isOperators(value)) return pathMatches(doc, name, '$eq', value)
    return Object.entries(value).every(([op, operand]) => pathMatches(doc, name, op, operand))
  })
}

export class ParallelArrays extends Error {}

type Source = { value: Val | undefined, parts: readonly string[], way: string, done?: Key }

/** The keys of a document in an index over the paths; the same make up its place in an order. */
export function keysOf (doc: Plain, paths: readonly string[]): Key[][] {
  return tuples(paths.map(path => ({ value: doc, parts: path.split('.'), way: '' })))
}

function tuples (sources: readonly Source[]): Key[][] {
  const walked = sources.map(walk)
  const arrays = new Set(walked.filter(source => source.done === undefined && Array.isArray(source.value)).map(({ way }) => way))
  if (arrays.size > 1) throw new ParallelArrays([...arrays].join(' and '))
  const array = walked.find(source => source.done === undefined && Array.isArray(source.value))
  if (array === undefined) return [walked.map(({ value, done }) => done === undefined ? value ?? null : done)]
  const items: (Val | typeof EMPTY)[] = (array.value as Val[]).length === 0 ? [EMPTY] : array.value as Val[]
  return items.flatMap(item => tuples(walked.map(source => {
    if (source.done !== undefined) return source
    if (source.way !== array.way) return { ...source, done: source.value ?? null }
    if (source.parts.length === 0) return { ...source, done: item }
    return isPlain(item) ? { ...source, value: item } : { ...source, done: null }
  })))
}

/** Down through documents, to the first array or the end. */
function walk (source: Source): Source {
  let { value, way } = source
  let at = 0
  if (source.done !== undefined) return source
  for (; at < source.parts.length && !Array.isArray(value); at++) {
    const part = source.parts[at]!
    way += `.${part}`
    value = isPlain(value) && Object.hasOwn(value, part) ? value[part] : undefined
  }
  return { value, parts: source.parts.slice(at), way }
}

export type Order = Record<string, 1 | -1>

/** Documents with their keys, in order. Throws ParallelArrays where a document has no place in the order. */
export function placed (docs: readonly Plain[], order: Order): { doc: Plain, key: Key[] }[] {
  const paths = Object.keys(order)
  const directions = Object.values(order)
  const compareKeys = (a: readonly Key[], b: readonly Key[]) => {
    for (const [i, direction] of directions.entries()) {
      const by = compare(a[i]!, b[i]!) * direction
      if (by !== 0) return by
    }
    return 0
  }
  const placed = docs.map(doc => ({ doc, key: keysOf(doc, paths).sort(compareKeys)[0]! }))
  return placed.sort((a, b) => compareKeys(a.key, b.key))
}

export const sorted = (docs: readonly Plain[], order: Order): Plain[] => placed(docs, order).map(({ doc }) => doc)

/** Inclusion or exclusion of paths, `_id` apart. */
export function projected (doc: Plain, projection: Record<string, 0 | 1>): Plain {
  const paths = Object.entries(projection).filter(([path]) => path !== '_id')
  const keepsId = projection._id !== 0
  const includes = paths.length > 0 ? paths[0]![1] === 1 : projection._id === 1
  const result = includes
    ? including(doc, [...paths.map(([path]) => path.split('.')), ...(keepsId ? [['_id']] : [])])
    : excluding(doc, [...paths.map(([path]) => path.split('.')), ...(keepsId ? [] : [['_id']])])
  return result as Plain
}

const below = (paths: readonly (readonly string[])[], name: string) => paths.filter(([head]) => head === name).map(path => path.slice(1))

function including (doc: Plain, paths: readonly (readonly string[])[]): Plain {
  const kept: Plain = {}
  for (const [name, value] of Object.entries(doc)) {
    const rest = below(paths, name)
    if (rest.some(path => path.length === 0)) kept[name] = value
    else if (rest.length > 0 && (isPlain(value) || Array.isArray(value))) kept[name] = includingIn(value, rest)!
  }
  return kept
}

function includingIn (value: Val, paths: readonly (readonly string[])[]): Val | undefined {
  if (isPlain(value)) return including(value, paths)
  return Array.isArray(value) ? value.map(item => includingIn(item, paths)).filter(item => item !== undefined) : undefined
}

function excluding (value: Val, paths: readonly (readonly string[])[]): Val {
  if (Array.isArray(value)) return value.map(item => excluding(item, paths))
  if (!isPlain(value)) return value
  const kept: Plain = {}
  for (const [name, part] of Object.entries(value)) {
    const rest = below(paths, name)
    if (!rest.some(path => path.length === 0)) kept[name] = rest.length > 0 ? excluding(part, rest) : part
  }
  return kept
}
