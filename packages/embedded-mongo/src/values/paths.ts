/** Dotted paths. Their parts are cached, because the same few paths are used for every document. */
import { mongoError } from './errors.ts'
import type { Doc, Value } from './values.ts'

const CACHED_MAX = 4096
const cache = new Map<string, readonly string[]>()

export function pathParts (path: string): readonly string[] {
  let parts = cache.get(path)
  if (parts === undefined) {
    parts = path.split('.')
    // Clients choose the paths: the cache is cleared so that it does not grow without bound.
    if (cache.size >= CACHED_MAX) cache.clear()
    cache.set(path, parts)
  }
  return parts
}

/** Can a path component be a position in an array? It has digits only, without a leading zero. */
export function isArrayIndex (part: string): boolean {
  const first = part.charCodeAt(0)
  return first >= 48 && first <= 57 && (first === 48 ? part.length === 1 : /^\d+$/.test(part))
}

/** @throws MongoError if the path cannot be that of a field to read */
export function checkFieldPath (path: string) {
  if (path === '') throw mongoError(40352, 'FieldPath cannot be constructed with empty string')
  if (path.endsWith('.')) throw mongoError(40353, 'FieldPath must not end with a \'.\'.')
  for (const part of pathParts(path)) {
    if (part === '') throw mongoError(15998, 'FieldPath field names may not be empty strings.')
    if (part.startsWith('$')) {
      throw mongoError(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.")
    }
  }
}

/** The value at a path that leads through documents only. */
export function valueAt (start: Value | undefined, parts: readonly string[]): Value | undefined {
  let value = start
  for (const part of parts) value = value instanceof Map ? value.get(part) : undefined
  return value
}

/** All values at a path. An array contributes its items; an array within an array is one value. */
export function itemsAt (value: Value | undefined, parts: readonly string[]): Value[] {
  const [part, ...rest] = parts
  if (part === undefined) return value === undefined ? [] : Array.isArray(value) ? value : [value]
  if (value instanceof Map) return itemsAt(value.get(part), rest)
  if (!Array.isArray(value)) return []
  const within = value.flatMap(item => item instanceof Map ? itemsAt(item, parts) : [])
  return isArrayIndex(part) ? [...itemsAt(value[Number(part)], rest), ...within] : within
}

/**
 * A copy with another value at a path. Values on the way that are not documents become documents. Undefined removes the
 * field.
 */
export function withValueAt (doc: Doc, parts: readonly string[], value: Value | undefined): Doc {
  const [name, ...rest] = parts as [string, ...string[]]
  const copy = new Map(doc)
  const inner = doc.get(name)
  const next = rest.length === 0 ? value : withValueAt(inner instanceof Map ? inner : new Map(), rest, value)
  if (next === undefined) copy.delete(name)
  else copy.set(name, next)
  return copy
}

/** Leaves by the field names of their paths. */
export type PathTree<Leaf> = Map<string, PathTree<Leaf> | Leaf>

/**
 * Adds a leaf. If one path is the beginning of the other, `collision` makes the error, from the length of the shorter.
 */
export function addToTree<Leaf> (
  root: PathTree<Leaf>, path: string, leaf: Leaf, collision: (parts: readonly string[], depth: number) => Error
) {
  const parts = pathParts(path)
  let tree = root
  for (const [i, part] of parts.entries()) {
    const existing = tree.get(part)
    const isLast = i + 1 === parts.length
    if (existing !== undefined && (isLast || !(existing instanceof Map))) throw collision(parts, i + 1)
    const child = isLast ? leaf : existing ?? new Map<string, PathTree<Leaf> | Leaf>()
    tree.set(part, child)
    if (child instanceof Map) tree = child
  }
}
