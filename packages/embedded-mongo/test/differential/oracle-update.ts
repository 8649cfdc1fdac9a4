/** A second opinion on updates, in the manner of the one on queries. */
import { Decimal128, Double, Int32, Long } from 'bson'
import { compare, isOperators, isPlain, matchesFilter } from './oracle.ts'
import type { Condition, Plain, Val } from './oracle.ts'

/** An update MongoDB refuses for this document, with its code. */
export class Refused extends Error {
  readonly code: number
  constructor (code: number) {
    super(`refused with ${code}`)
    this.code = code
  }
}

/** A change that this evaluator does not know the result of. */
export class Unjudged extends Error {}

export type Update = Record<string, Record<string, unknown>>

const clone = (value: Val): Val => Array.isArray(value) ? value.map(clone) : isPlain(value) ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, clone(part)])) : value

/** The document after the update; operators of one update touch different paths, and run in the order of the paths. */
export function updated (doc: Plain, update: Update, inserting = false): Plain {
  const result = clone(doc) as Plain
  const steps = Object.entries(update).flatMap(([op, fields]) => Object.entries(fields).map(([path, operand]) => (
    // A rename takes place at its target.
    { op, path: op === '$rename' ? operand as string : path, operand: op === '$rename' ? path : operand }
  )))
  steps.sort((a, b) => comparePaths(a.path.split('.'), b.path.split('.')))
  for (const { op, path, operand } of steps) {
    if (op === '$setOnInsert' && !inserting) continue
    if (op === '$rename') rename(result, operand as string, path)
    else apply(result, path.split('.'), op, operand)
  }
  return result
}

function comparePaths (a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1
  return a.length - b.length
}

function rename (doc: Plain, from: string, to: string): void {
  if (!Object.hasOwn(doc, from)) return
  doc[to] = doc[from]!
  delete doc[from]
}

/** Removing, taking away and the like make nothing that is not there. */
const MAKES_NOTHING = new Set(['$unset', '$pull'])

function apply (holder: Plain | Val[], parts: readonly string[], op: string, operand: unknown): void {
  const [head, ...rest] = parts as [string, ...string[]]
  if (Array.isArray(holder) && !/^\d+$/.test(head)) {
    if (MAKES_NOTHING.has(op)) return
    throw new Refused(28)
  }
  const slots = holder as Plain
  const there = Object.hasOwn(slots, head)
  if (!there && MAKES_NOTHING.has(op)) return
  if (rest.length === 0) {
    const value = changed(there ? slots[head] : undefined, op, operand)
    if (value !== undefined) put(holder, head, value)
    else if (Array.isArray(holder)) put(holder, head, null)
    else delete slots[head]
    return
  }
  const next = there ? slots[head]! : {}
  if (!isPlain(next) && !Array.isArray(next)) {
    if (MAKES_NOTHING.has(op)) return
    throw new Refused(28)
  }
  apply(next, rest, op, operand)
  if (!there) put(holder, head, next)
}

function put (holder: Plain | Val[], name: string, value: Val): void {
  if (!Array.isArray(holder)) {
    if (/^\d+$/.test(name) && !Object.hasOwn(holder, name)) throw new Unjudged('JavaScript would move such a field to the front')
    holder[name] = value
    return
  }
  while (holder.length < Number(name)) holder.push(null)
  holder[Number(name)] = value
}

/** The new value of a field; undefined for none. */
function changed (value: Val | undefined, op: string, operand: unknown): Val | undefined {
  switch (op) {
    case '$set': case '$setOnInsert': return operand as Val
    case '$unset': return undefined
    case '$inc': return value === undefined ? operand as Val : sum(value, operand as Int32)
    case '$min': return value === undefined || compare(operand as Val, value) < 0 ? operand as Val : value
    case '$max': return value === undefined || compare(operand as Val, value) > 0 ? operand as Val : value
    case '$push': return pushed(arrayOf(value), operand)
    case '$addToSet': return union(arrayOf(value), isOperators(operand) ? operand.$each as Val[] : [operand as Val])
    case '$pull': return arrayOf(value).filter(item => !matchesItem(item, operand))
    default: throw new Error(`no update ${op}`)
  }
}

function arrayOf (value: Val | undefined): Val[] {
  if (value !== undefined && !Array.isArray(value)) throw new Refused(2)
  return value ?? []
}

/** A lone item, not looked into. */
function matchesItem (item: Val, operand: unknown): boolean {
  if (!isOperators(operand)) return compare(item, operand as Val) === 0
  return matchesFilter({ x: [item] }, { x: { $elemMatch: operand as Condition } })
}

function union (items: readonly Val[], added: readonly Val[]): Val[] {
  const result = [...items]
  for (const value of added) if (!result.some(item => compare(item, value) === 0)) result.push(value)
  return result
}

function pushed (items: readonly Val[], operand: unknown): Val[] {
  if (!isOperators(operand)) return [...items, operand as Val]
  const { $each, $position, $sort, $slice } = operand as { $each: Val[], $position?: number, $sort?: 1 | -1, $slice?: number }
  const at = $position === undefined ? items.length : $position < 0 ? Math.max(0, items.length + $position) : Math.min($position, items.length)
  const result = [...items.slice(0, at), ...$each, ...items.slice(at)]
  if ($sort !== undefined) result.sort((a, b) => compare(a, b) * $sort)
  if ($slice === undefined) return result
  return $slice === 0 ? [] : $slice < 0 ? result.slice($slice) : result.slice(0, $slice)
}

/** The result has the wider type of the two; an int32 that overflows becomes an int64. */
function sum (value: Val, by: Int32 | Double | Long): Val {
  if (value instanceof Decimal128) throw new Unjudged('decimal arithmetic')
  if (!(value instanceof Int32 || value instanceof Long || value instanceof Double)) throw new Refused(14)
  if (value instanceof Double || by instanceof Double) return new Double(Number(value) + Number(by))
  const result = BigInt(value.toString()) + BigInt(by.toString())
  if (result !== BigInt.asIntN(64, result)) throw new Refused(2)
  return value instanceof Long || by instanceof Long || result !== BigInt.asIntN(32, result) ? Long.fromBigInt(result) : new Int32(Number(result))
}
