/** The modifiers of an update as a tree over its paths: no two of them may touch the same place, and new fields come in the tree's order. */
import { compareStrings } from './compare.ts'
import { badValue, mongoError } from './errors.ts'
import { matches, type Filter } from './filter.ts'
import { isArrayIndex, pathParts } from './paths.ts'
import { printField } from './print.ts'
import { creates, modify, type Modifier, type UpdateContext } from './update-modifiers.ts'
import type { Doc, Value } from './values.ts'

export type UpdateNode = { kind: 'leaf', modifier: Modifier } | FieldsNode | ItemsNode
/** Children by field name, or by position where the value is an array. */
export interface FieldsNode { kind: 'fields', children: Map<string, UpdateNode> }
/** Children by the identifier of an array filter, `''` for all items. */
export interface ItemsNode { kind: 'items', children: Map<string, UpdateNode> }

/** What an update needs beside its tree. */
export interface ApplyContext extends UpdateContext {
  arrayFilters: ReadonlyMap<string, Filter>
  /** The item that the query matched, which `$` stands for. */
  position: number | undefined
}

const ARRAY_PADDING_MAX = 1_500_000
const NUMBER_LIKE = /^(0$|[1-9])/
const ITEM_PART = /^\$\[(.*)\]$/

const conflict = (path: string, at: string) => mongoError('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict at '${at}'`)

export function newTree (): FieldsNode {
  return { kind: 'fields', children: new Map() }
}

/** Adds a modifier at a path. */
export function addToTree (root: FieldsNode, path: string, modifier: Modifier) {
  const parts = pathParts(path)
  let node: UpdateNode = root
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string
    const item = ITEM_PART.exec(part)
    const kind = item === null ? 'fields' : 'items'
    // A node's kind is open until its first child.
    if (node.kind === 'leaf' || (node.kind !== kind && node.children.size > 0)) throw conflict(path, parts.slice(0, i).join('.'))
    node.kind = kind
    const name = item === null ? part : item[1] as string
    const existing = node.children.get(name)
    const last = i + 1 === parts.length
    if (existing !== undefined && (last || existing.kind === 'leaf')) throw conflict(path, parts.slice(0, i + 1).join('.'))
    const child: UpdateNode = existing ?? (last ? { kind: 'leaf', modifier } : newTree())
    node.children.set(name, child)
    node = child
  }
}

/** Puts all children into the order in which they are applied: by name, but what begins like a number by its length first. */
export function sortTree (node: UpdateNode) {
  if (node.kind === 'leaf') return
  if (node.children.size > 1) node.children = new Map([...node.children].sort(([a], [b]) => compareNames(a, b)))
  for (const child of node.children.values()) sortTree(child)
}

function compareNames (a: string, b: string): number {
  if (NUMBER_LIKE.test(a) && NUMBER_LIKE.test(b) && a.length !== b.length) return a.length - b.length
  return compareStrings(a, b)
}

/** Applies a node to the value at its path: the new value, the same one when nothing changes, undefined for none. */
export function applyNode (node: UpdateNode, current: Value | undefined, path: string, context: ApplyContext): Value | undefined {
  switch (node.kind) {
    case 'leaf':
      return current === undefined && !creates(node.modifier, context) ? undefined : modify(node.modifier, current, path, context)
    case 'fields':
      if (current === undefined) return created(node, path, context)
      if (current instanceof Map) return appliedToDoc(node, current, path, context)
      if (Array.isArray(current)) return appliedToArray(node, current, path, context)
      for (const [name, child] of named(node, context)) if (createsWithin(child, context)) throw notViable(name, path, current)
      return current
    case 'items': return appliedToItems(node, current, path, context)
  }
}

const notViable = (name: string, path: string, current: Value) =>
  mongoError('PathNotViable', `Cannot create field '${name}' in element {${printField(pathParts(path).at(-1) as string, current)}}`)

const join = (path: string, name: string) => path === '' ? name : `${path}.${name}`

function createsWithin (node: UpdateNode, context: ApplyContext): boolean {
  if (node.kind === 'leaf') return creates(node.modifier, context)
  for (const child of node.children.values()) if (createsWithin(child, context)) return true
  return false
}

/** A node's children with `$` replaced by the position it stands for. */
function named (node: FieldsNode, context: ApplyContext): Map<string, UpdateNode> {
  const positional = node.children.get('$')
  if (positional === undefined) return node.children
  if (context.position === undefined) throw badValue('The positional operator did not find the match needed from the query.')
  const name = String(context.position)
  const children = new Map(node.children)
  children.delete('$')
  const other = children.get(name)
  children.set(name, other === undefined ? positional : merged(other, positional, name))
  return children
}

function created (node: FieldsNode, path: string, context: ApplyContext): Value | undefined {
  const doc: Doc = new Map()
  for (const [name, child] of named(node, context)) {
    const value = applyNode(child, undefined, join(path, name), context)
    if (value !== undefined) doc.set(name, value)
  }
  return doc.size === 0 ? undefined : doc
}

export function appliedToDoc (node: FieldsNode, current: Doc, path: string, context: ApplyContext): Doc {
  let result = current
  for (const [name, child] of named(node, context)) {
    const before = current.get(name)
    const after = applyNode(child, before, join(path, name), context)
    if (Object.is(after, before)) continue
    if (result === current) result = new Map(current)
    if (after === undefined) result.delete(name)
    else result.set(name, after)
  }
  return result
}

function appliedToArray (node: FieldsNode, current: Value[], path: string, context: ApplyContext): Value[] {
  let result = current
  for (const [name, child] of named(node, context)) {
    if (!isArrayIndex(name)) {
      if (createsWithin(child, context)) throw notViable(name, path, current)
      continue
    }
    const index = Number(name)
    const before = current[index]
    const after = applyNode(child, before, join(path, name), context)
    if (Object.is(after, before)) continue
    if (result === current) result = [...current]
    if (index - current.length > ARRAY_PADDING_MAX) throw mongoError('CannotBackfillArray', `can't backfill more than ${ARRAY_PADDING_MAX} elements`)
    while (result.length < index) result.push(null)
    // An item is never taken out by its position: what is unset becomes null.
    result[index] = after ?? null
  }
  return result
}

function appliedToItems (node: ItemsNode, current: Value | undefined, path: string, context: ApplyContext): Value {
  if (current === undefined) throw badValue(`The path '${path}' must exist in the document in order to apply array updates.`)
  if (!Array.isArray(current)) throw badValue(`Cannot apply array updates to non-array element ${printField(pathParts(path).at(-1) as string, current)}`)
  let result = current
  for (let i = 0; i < current.length; i++) {
    const before = current[i] as Value
    let chosen: UpdateNode | undefined
    for (const [identifier, child] of node.children) {
      const filter = context.arrayFilters.get(identifier)
      if (filter !== undefined && !matches(filter, new Map([[identifier, before]]))) continue
      chosen = chosen === undefined ? child : merged(chosen, child, join(path, String(i)))
    }
    const after = chosen === undefined ? before : applyNode(chosen, before, join(path, String(i)), context) ?? null
    if (Object.is(after, before)) continue
    if (result === current) result = [...current]
    result[i] = after
  }
  return result
}

/** Two nodes that turn out to be of the same place. */
function merged (a: UpdateNode, b: UpdateNode, path: string): UpdateNode {
  if (a.kind === 'leaf' || b.kind === 'leaf' || a.kind !== b.kind) {
    throw mongoError('ConflictingUpdateOperators', `Update created a conflict at '${path}'`)
  }
  const children = new Map(a.children)
  for (const [name, child] of b.children) {
    const other = children.get(name)
    children.set(name, other === undefined ? child : merged(other, child, join(path, name)))
  }
  const node: UpdateNode = { kind: a.kind, children }
  sortTree(node)
  return node
}
