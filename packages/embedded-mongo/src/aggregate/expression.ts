/**
 * Aggregation expressions: parsed once, evaluated for each document. Fields, literals, documents and arrays are
 * supported; the only operator is `$literal`.
 */
import { mongoError } from '../values/errors.ts'
import { checkFieldPath, pathParts } from '../values/paths.ts'
import type { Doc, Value } from '../values/values.ts'

/** Evaluates to undefined for a missing value. */
export type Expression = (root: Doc) => Value | undefined

/** An expression is `$path`, `$$ROOT`, `{ $operator: … }`, a document or an array of expressions, or a literal. */
export function parseExpression (value: Value): Expression {
  if (value === '$$ROOT') return root => root
  if (typeof value === 'string' && value.startsWith('$$')) {
    throw mongoError(17276, `Use of undefined variable: ${value.slice(2).split('.')[0]}`)
  }
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

/** The value at a path. If the path leads through an array, the array of the values in its documents. */
function valuesAt (doc: Doc, parts: readonly string[], next: number): Value | undefined {
  const value = doc.get(parts[next] as string)
  if (next + 1 === parts.length) return value
  if (value instanceof Map) return valuesAt(value, parts, next + 1)
  if (!Array.isArray(value)) return undefined
  return value.map(item => item instanceof Map ? valuesAt(item, parts, next + 1) : undefined)
    .filter(item => item !== undefined)
}

function parseObject (fields: Doc): Expression {
  const expressions = [...fields].map(([name, value]) => {
    if (name.includes('.')) {
      throw mongoError(16412,
        `FieldPath field names may not contain '.'. Consider using $getField or $setField. Found: '${name}'`)
    }
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
  if (spec.size !== 1) {
    throw mongoError(15983, 'an expression specification must contain exactly one field, the name of the expression. ' +
      `Found ${spec.size} fields in it`)
  }
  const operand = spec.get(name) as Value
  if (name !== '$literal') throw mongoError('InvalidPipelineOperator', `Unrecognized expression '${name}'`)
  return () => operand
}
