/** Aggregation expressions: parsed once, evaluated for each document. Those that are not here are refused as unknown. */
import { compareValues } from './compare.ts'
import { mongoError } from './errors.ts'
import { checkFieldPath, pathParts } from './paths.ts'
import { BsonUndefined, UNDEFINED, isTruthy, type Doc, type Value } from './values.ts'

/** Evaluates to undefined for a missing value. */
export type Expression = (root: Doc) => Value | undefined

/** Parses a value as an expression: `$path`, `$$ROOT`, `{ $operator: … }`, a document or an array of expressions, or a literal. */
export function parseExpression (value: Value): Expression {
  if (value === '$$ROOT') return root => root
  if (typeof value === 'string' && value.startsWith('$$')) throw mongoError(17276, `Use of undefined variable: ${value.slice(2).split('.')[0]}`)
  if (typeof value === 'string' && value.startsWith('$')) return pathExpression(value.slice(1))
  if (Array.isArray(value)) {
    const items = value.map(parseExpression)
    return root => items.map(item => item(root) ?? null)
  }
  if (!(value instanceof Map)) return () => value
  const first = value.keys().next().value
  return first?.startsWith('$') === true ? parseOperator(first, value) : parseObject(value)
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
  const operands = operandsOf(name, operand)
  if (operands.length < least || operands.length > most) throw mongoError(16020, `Expression ${name} does not take ${operands.length} arguments.`)
  return operator(operands.map(parseExpression))
}

/** A list, or the document form of `$cond`; one operand may stand alone. */
function operandsOf (name: string, operand: Value): Value[] {
  if (name === '$cond' && operand instanceof Map) {
    const parts = ['if', 'then', 'else'].map(part => operand.get(part))
    return operand.size === 3 && !parts.includes(undefined) ? parts as Value[] : []
  }
  return Array.isArray(operand) ? operand : [operand]
}

type Operator = (operands: Expression[]) => Expression

/** The order of two operands, in which missing is below null. */
const compared = (result: (order: number) => Value): Operator => operands => root => {
  const [a, b] = operands.map(operand => operand(root)).map(value => value === undefined ? UNDEFINED : value)
  return result(compareValues(a, b))
}

const isNullish = (value: Value | undefined): value is null | undefined | BsonUndefined => value === undefined || value === null || value instanceof BsonUndefined

const OPERATORS = new Map<string, [least: number, most: number, operator: Operator]>([
  ['$eq', [2, 2, compared(order => order === 0)]],
  ['$ne', [2, 2, compared(order => order !== 0)]],
  ['$gt', [2, 2, compared(order => order > 0)]],
  ['$gte', [2, 2, compared(order => order >= 0)]],
  ['$lt', [2, 2, compared(order => order < 0)]],
  ['$lte', [2, 2, compared(order => order <= 0)]],
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
  }]]
])
