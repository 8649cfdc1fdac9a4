/** Aggregation expressions: parsed once, evaluated for each document. Those that are not here are refused as unknown. */
import { add, multiply, negate, type NumericValue } from './arithmetic.ts'
import { compareValues } from './compare.ts'
import { mongoError, typeMismatch } from './errors.ts'
import { pathParts } from './paths.ts'
import { checkFieldPath } from './sort.ts'
import {
  BsonUndefined, DateTime, Decimal128, Int32, UNDEFINED, int32, isNumeric, isTruthy, toInteger, toNumber, typeName, type Doc, type Value
} from './values.ts'

/** Evaluates to undefined for a missing value. */
export type Expression = (root: Doc) => Value | undefined

type Operator = (operands: Expression[], name: string) => Expression

/** Parses a value as an expression: `$path`, `$$variable`, `{ $operator: … }`, a document or an array of expressions, or a literal. */
export function parseExpression (value: Value): Expression {
  if (typeof value === 'string' && value.startsWith('$')) return value.startsWith('$$') ? parseVariable(value.slice(2)) : pathExpression(value.slice(1))
  if (Array.isArray(value)) {
    const items = value.map(parseExpression)
    return root => items.map(item => item(root) ?? null)
  }
  if (!(value instanceof Map)) return () => value
  const first = value.keys().next().value
  return first?.startsWith('$') === true ? parseOperator(first, value) : parseObject(value)
}

function parseVariable (text: string): Expression {
  const [name, ...rest] = text.split('.') as [string, ...string[]]
  const path = rest.join('.')
  switch (name) {
    case 'ROOT': case 'CURRENT': return path === '' ? root => root : pathExpression(path)
    case 'REMOVE': return () => undefined
    case 'NOW': {
      const now = DateTime.fromMs(Date.now())
      return () => path === '' ? now : undefined
    }
    default: throw mongoError(17276, `Use of undefined variable: ${name}`)
  }
}

function pathExpression (path: string): Expression {
  checkFieldPath(path)
  const parts = pathParts(path)
  return root => valueAt(root, parts, 0)
}

/** The value at a path; an array on the way gives the array of what its documents have there. */
function valueAt (doc: Doc, parts: readonly string[], next: number): Value | undefined {
  const value = doc.get(parts[next] as string)
  if (next + 1 === parts.length) return value
  if (value instanceof Map) return valueAt(value, parts, next + 1)
  if (!Array.isArray(value)) return undefined
  return value.flatMap(item => {
    const inner = item instanceof Map ? valueAt(item, parts, next + 1) : undefined
    return inner === undefined ? [] : [inner]
  })
}

function parseObject (fields: Doc): Expression {
  const expressions = [...fields].map(([name, value]) => {
    if (name.includes('.')) throw mongoError(16412, `FieldPath field names may not contain '.'. Consider using $getField or $setField. Found: '${name}'`)
    checkFieldPath(name)
    return [name, parseExpression(value)] as const
  })
  return root => {
    const doc: Doc = new Map()
    for (const [name, expression] of expressions) {
      const value = expression(root)
      if (value !== undefined) doc.set(name, value)
    }
    return doc
  }
}

function parseOperator (name: string, spec: Doc): Expression {
  if (spec.size !== 1) throw mongoError(15983, `an expression specification must contain exactly one field, the name of the expression. Found ${spec.size} fields in it`)
  const operand = spec.get(name) as Value
  if (name === '$literal' || name === '$const') return () => operand
  if (name === '$cond' && operand instanceof Map) return parseCond(operand)
  const known = OPERATORS.get(name)
  if (known === undefined) throw mongoError('InvalidPipelineOperator', `Unrecognized expression '${name}'`)
  const operands = (Array.isArray(operand) ? operand : [operand]).map(parseExpression)
  const { least, most } = known
  if (operands.length < least || operands.length > most) {
    throw least === most
      ? mongoError(16020, `Expression ${name} takes exactly ${least} arguments. ${operands.length} were passed in.`)
      : mongoError(28667, `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${operands.length} were passed in.`)
  }
  return known.operator(operands, name)
}

function parseCond (spec: Doc): Expression {
  for (const name of spec.keys()) if (!['if', 'then', 'else'].includes(name)) throw mongoError(17083, `Unrecognized parameter to $cond: ${name}`)
  const operands = (['if', 'then', 'else'] as const).map((name, i) => {
    const value = spec.get(name)
    if (value === undefined) throw mongoError(17080 + i, `Missing '${name}' parameter to $cond`)
    return parseExpression(value)
  })
  return conditional(operands)
}

const conditional = (operands: Expression[]): Expression => {
  const [test, then, otherwise] = operands as [Expression, Expression, Expression]
  return root => isTruthy(test(root)) ? then(root) : otherwise(root)
}

const isNullish = (value: Value | undefined): value is null | undefined | BsonUndefined => value === undefined || value === null || value instanceof BsonUndefined

/** The order of operands, in which missing is below null. */
function order (operands: Expression[], root: Doc): number {
  const [left, right] = operands as [Expression, Expression]
  const a = left(root)
  const b = right(root)
  return compareValues(a === undefined ? UNDEFINED : a, b === undefined ? UNDEFINED : b)
}

const compared = (holds: (order: number) => boolean): Operator => operands => root => holds(order(operands, root))

const OPERATORS = new Map<string, { operator: Operator, least: number, most: number }>()

function define (name: string, least: number, most: number, operator: Operator) {
  OPERATORS.set(name, { operator, least, most })
}

define('$eq', 2, 2, compared(order => order === 0))
define('$ne', 2, 2, compared(order => order !== 0))
define('$gt', 2, 2, compared(order => order > 0))
define('$gte', 2, 2, compared(order => order >= 0))
define('$lt', 2, 2, compared(order => order < 0))
define('$lte', 2, 2, compared(order => order <= 0))
define('$cmp', 2, 2, operands => root => int32(Math.sign(order(operands, root))))
define('$and', 0, Infinity, operands => root => operands.every(operand => isTruthy(operand(root))))
define('$or', 0, Infinity, operands => root => operands.some(operand => isTruthy(operand(root))))
define('$not', 1, 1, ([operand]) => root => !isTruthy((operand as Expression)(root)))
define('$cond', 3, 3, conditional)

define('$ifNull', 2, Infinity, operands => root => {
  let value: Value | undefined
  for (const operand of operands) {
    value = operand(root)
    if (!isNullish(value)) return value
  }
  return value
})

define('$add', 0, Infinity, operands => root => {
  let total: NumericValue = int32(0)
  let date = false
  for (const operand of operands) {
    const value = operand(root)
    if (isNullish(value)) return null
    if (value instanceof DateTime) {
      if (date) throw mongoError(16612, 'only one date allowed in an $add expression')
      date = true
      total = sum(total, value.bigintMs)
    } else if (isNumeric(value)) {
      total = sum(total, value)
    } else {
      throw typeMismatch(`$add only supports numeric or date types, not ${typeName(value)}`)
    }
  }
  return date ? dateOf(total) : total
})

define('$subtract', 2, 2, operands => root => {
  const [left, right] = operands as [Expression, Expression]
  const a = left(root)
  const b = right(root)
  if (isNullish(a) || isNullish(b)) return null
  if (a instanceof DateTime && b instanceof DateTime) return a.bigintMs - b.bigintMs
  if (!isNumeric(b) || !(isNumeric(a) || a instanceof DateTime)) throw typeMismatch(`can't $subtract ${typeName(b)} from ${typeName(a)}`)
  const negative = negate(b) ?? -toNumber(b)
  return a instanceof DateTime ? dateOf(sum(a.bigintMs, negative)) : sum(a, negative)
})

define('$multiply', 0, Infinity, operands => root => {
  let product: NumericValue = int32(1)
  for (const operand of operands) {
    const value = operand(root)
    if (isNullish(value)) return null
    if (!isNumeric(value)) throw typeMismatch(`$multiply only supports numeric types, not ${typeName(value)}`)
    product = multiply(product, value) ?? toNumber(product) * toNumber(value)
  }
  return product
})

/** A sum that becomes a double where an int64 overflows. */
function sum (a: NumericValue, b: NumericValue): NumericValue {
  return add(a, b) ?? toNumber(a) + toNumber(b)
}

function dateOf (ms: NumericValue): DateTime {
  if (ms instanceof Decimal128 || typeof ms === 'number') return DateTime.fromMs(Math.round(toNumber(ms)))
  const whole = ms instanceof Int32 ? BigInt(ms.value) : ms
  return new DateTime(Number(whole >> 32n), Number(BigInt.asIntN(32, whole)))
}

define('$concat', 0, Infinity, operands => root => {
  let text = ''
  for (const operand of operands) {
    const value = operand(root)
    if (isNullish(value)) return null
    if (typeof value !== 'string') throw mongoError(16702, `$concat only supports strings, not ${typeName(value)}`)
    text += value
  }
  return text
})

define('$size', 1, 1, ([operand]) => root => {
  const value = (operand as Expression)(root)
  if (!Array.isArray(value)) throw mongoError(17124, `The argument to $size must be an array, but was of type: ${typeName(value)}`)
  return int32(value.length)
})

define('$in', 2, 2, operands => root => {
  const [needle, list] = operands as [Expression, Expression]
  const items = list(root)
  if (!Array.isArray(items)) throw mongoError(40081, `$in requires an array as a second argument, found: ${typeName(items)}`)
  const found = needle(root)
  const value = found === undefined ? UNDEFINED : found
  return items.some(item => compareValues(item, value) === 0)
})

define('$arrayElemAt', 2, 2, operands => root => {
  const [list, position] = operands as [Expression, Expression]
  const items = list(root)
  const at = position(root)
  if (isNullish(items) || isNullish(at)) return null
  if (!Array.isArray(items)) throw mongoError(28689, `$arrayElemAt's first argument must be an array, but is ${typeName(items)}`)
  if (!isNumeric(at)) throw mongoError(28690, `$arrayElemAt's second argument must be a numeric value, but is ${typeName(at)}`)
  const index = toInteger(at)
  if (index === undefined) throw mongoError(28691, '$arrayElemAt\'s second argument must be representable as a 32-bit integer')
  return items.at(index)
})

for (const [name, index] of [['$first', 0], ['$last', -1]] as const) {
  define(name, 1, 1, ([operand]) => root => {
    const items = (operand as Expression)(root)
    if (isNullish(items)) return null
    if (!Array.isArray(items)) throw mongoError(28689, `${name}'s argument must be an array, but is ${typeName(items)}`)
    return items.at(index)
  })
}
