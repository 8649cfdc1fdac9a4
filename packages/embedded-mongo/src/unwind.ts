/** `$unwind`: one document for each item of an array. */
import { mongoError } from './errors.ts'
import { pathParts } from './paths.ts'
import { checkFieldPath } from './sort.ts'
import { BsonUndefined, typeName, type Doc, type Value } from './values.ts'

export interface Unwind { parts: readonly string[], indexParts: readonly string[] | undefined, keepEmpty: boolean }

export function parseUnwind (operand: Value): Unwind {
  const options: Doc = typeof operand === 'string' ? new Map([['path', operand]]) : operand as Doc
  if (!(options instanceof Map)) throw mongoError(15981, `expected either a string or an object as specification for $unwind stage, got ${typeName(operand)}`)
  const unwind: Unwind = { parts: [], indexParts: undefined, keepEmpty: false }
  for (const [name, value] of options) {
    switch (name) {
      case 'path':
        if (typeof value !== 'string') throw mongoError(28808, `expected a string as the path for $unwind stage, got ${typeName(value)}`)
        if (!value.startsWith('$')) throw mongoError(28818, `path option to $unwind stage should be prefixed with a '$': ${value}`)
        checkFieldPath(value.slice(1))
        unwind.parts = pathParts(value.slice(1))
        break
      case 'preserveNullAndEmptyArrays':
        if (typeof value !== 'boolean') throw mongoError(28809, `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeName(value)}`)
        unwind.keepEmpty = value
        break
      case 'includeArrayIndex':
        if (typeof value !== 'string' || value === '') throw mongoError(28810, `expected a non-empty string for the includeArrayIndex  option to $unwind stage, got ${typeName(value)}`)
        if (value.startsWith('$')) throw mongoError(28822, `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${value}`)
        unwind.indexParts = pathParts(value)
        break
      default: throw mongoError(28811, `unrecognized option to $unwind stage: ${name}`)
    }
  }
  if (unwind.parts.length === 0) throw mongoError(28812, 'no path specified to $unwind stage')
  return unwind
}

export function * unwind ({ parts, indexParts, keepEmpty }: Unwind, docs: Iterable<Doc>): Iterable<Doc> {
  const withIndex = (doc: Doc, index: number | null) => indexParts === undefined ? doc : withValue(doc, indexParts, index === null ? null : BigInt(index))
  for (const doc of docs) {
    const value = valueAt(doc, parts)
    if (Array.isArray(value) && value.length > 0) {
      for (let i = 0; i < value.length; i++) yield withIndex(withValue(doc, parts, value[i]), i)
    } else if (Array.isArray(value)) {
      // An empty array kept is a missing field.
      if (keepEmpty) yield withIndex(withValue(doc, parts, undefined), null)
    } else if (keepEmpty || !(value === undefined || value === null || value instanceof BsonUndefined)) {
      yield withIndex(doc, null)
    }
  }
}

function valueAt (doc: Doc, parts: readonly string[]): Value | undefined {
  let value: Value | undefined = doc
  for (const part of parts) value = value instanceof Map ? value.get(part) : undefined
  return value
}

/** A copy with another value at a path (which leads through documents only); undefined takes the field out. */
export function withValue (doc: Doc, parts: readonly string[], value: Value | undefined): Doc {
  const [name, ...rest] = parts as [string, ...string[]]
  const copy = new Map(doc)
  if (rest.length > 0) {
    const inner = doc.get(name)
    copy.set(name, withValue(inner instanceof Map ? inner : new Map(), rest, value))
  } else if (value === undefined) {
    copy.delete(name)
  } else {
    copy.set(name, value)
  }
  return copy
}
