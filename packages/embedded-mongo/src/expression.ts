/** Aggregation expressions: parsed once, evaluated for each document. Those that are not here are refused as unknown. */
import { Sum, multiply, subtract, type NumericValue } from './arithmetic.ts'
import { compareValues } from './compare.ts'
import { mongoError, notImplemented, typeMismatch } from './errors.ts'
import { checkFieldPath, pathParts } from './paths.ts'
import {
  BsonUndefined, DateTime, UNDEFINED, int32, isNumeric, isTruthy, toNumber, typeName, type Doc, type Value
} from './values.ts'

/** Evaluates to undefined for a missing value. */
export type Expression = (root: Doc) => Value | undefined

/** Parses a value as an expression: `$path`, `$$ROOT`, `{ $operator: … }`, a document or an array of expressions, or a literal. */
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
  if (text === 'ROOT' || text === 'CURRENT') return root => root
  const path = /^(?:ROOT|CURRENT)\.(.*)$/s.exec(text)?.[1]
  if (path !== undefined) return pathExpression(path)
  throw mongoError(17276, `Use of undefined variable: ${text.split('.')[0]}`)
}

function pathExpression (path: string): Expression {
  checkFieldPath(path)
  const parts = pathParts(path)
  return root => valuesAt(root, parts, 0)
}

/** The value at a path; an array on the way gives the array of what its documents have there. */
function valuesAt (doc: Doc, parts: readonly string[], next: number): Value | undefined {
  const value = doc.get(parts[next] as string)
  if (next + 1 === parts.length) return value
  if (value instanceof Map) return valuesAt(value, parts, next + 1)
  if (!Array.isArray(value)) return undefined
  return value.map(item => item instanceof Map ? valuesAt(item, parts, next + 1) : undefined).filter(item => item !== undefined)
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
  if (name === '$literal') return () => operand
  const known = OPERATORS.get(name)
  if (known === undefined) throw mongoError('InvalidPipelineOperator', `Unrecognized expression '${name}'`)
  const [least, most, operator] = known
  const operands = name === '$cond' && operand instanceof Map ? operandsOfCond(operand) : Array.isArray(operand) ? operand : [operand]
  if (operands.length < least || operands.length > most) {
    throw least === most
      ? mongoError(16020, `Expression ${name} takes exactly ${least} arguments. ${operands.length} were passed in.`)
      : mongoError(28667, `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${operands.length} were passed in.`)
  }
  return operator(operands.map(parseExpression))
}

function operandsOfCond (spec: Doc): Value[] {
  const names = ['if', 'then', 'else']
  for (const name of spec.keys()) if (!names.includes(name)) throw mongoError(17083, `Unrecognized parameter to $cond: ${name}`)
  return names.map((name, i) => {
    const value = spec.get(name)
    if (value === undefined) throw mongoError(17080 + i, `Missing '${name}' parameter to $cond`)
    return value
  })
}

type Operator = (operands: Expression[]) => Expression

/** The order of two operands, in which missing is below null. */
const compared = (result: (order: number) => Value): Operator => operands => root => {
  const [a, b] = operands.map(operand => operand(root)).map(value => value === undefined ? UNDEFINED : value)
  return result(compareValues(a, b))
}

const isNullish = (value: Value | undefined): value is null | undefined | BsonUndefined => value === undefined || value === null || value instanceof BsonUndefined

/** Works on the values of the operands, which must be numbers; null when one of them is null or missing. */
const calculated = (name: string, calculate: (values: NumericValue[]) => NumericValue): Operator => operands => root => {
  const values: NumericValue[] = []
  for (const operand of operands) {
    const value = operand(root)
    if (isNullish(value)) return null
    if (value instanceof DateTime) throw notImplemented(`${name} of dates is not supported`)
    if (!isNumeric(value)) throw typeMismatch(`${name} only supports numeric types, not ${typeName(value)}`)
    values.push(value)
  }
  return calculate(values)
}

function sum (values: NumericValue[]): NumericValue {
  const total = new Sum()
  for (const value of values) total.add(value)
  return total.result()
}

/** What overflows an int64 becomes a double. */
const product = (values: NumericValue[]) => values.reduce((a, b) => multiply(a, b) ?? toNumber(a) * toNumber(b), int32(1))

function difference (values: NumericValue[]): NumericValue {
  const result = subtract(...values as [NumericValue, NumericValue])
  if (result === undefined) throw notImplemented('$subtract that overflows a 64-bit integer is not supported')
  return result
}

const OPERATORS = new Map<string, [least: number, most: number, operator: Operator]>([
  ['$eq', [2, 2, compared(order => order === 0)]],
  ['$ne', [2, 2, compared(order => order !== 0)]],
  ['$gt', [2, 2, compared(order => order > 0)]],
  ['$gte', [2, 2, compared(order => order >= 0)]],
  ['$lt', [2, 2, compared(order => order < 0)]],
  ['$lte', [2, 2, compared(order => order <= 0)]],
  ['$cmp', [2, 2, compared(order => int32(Math.sign(order)))]],
  ['$and', [0, Infinity, operands => root => operands.every(operand => isTruthy(operand(root)))]],
  ['$or', [0, Infinity, operands => root => operands.some(operand => isTruthy(operand(root)))]],
  ['$not', [1, 1, operands => root => !operands.every(operand => isTruthy(operand(root)))]],
  ['$cond', [3, 3, operands => {
    const [test, then, otherwise] = operands as [Expression, Expression, Expression]
    return root => isTruthy(test(root)) ? then(root) : otherwise(root)
  }]],
  ['$ifNull', [2, Infinity, operands => root => {
    let value: Value | undefined
    for (const operand of operands) {
      value = operand(root)
      if (!isNullish(value)) break
    }
    return value
  }]],
  ['$add', [0, Infinity, calculated('$add', sum)]],
  ['$multiply', [0, Infinity, calculated('$multiply', product)]],
  ['$subtract', [2, 2, calculated('$subtract', difference)]]
])
