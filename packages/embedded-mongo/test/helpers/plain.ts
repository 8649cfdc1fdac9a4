/** Typed values from literals: whole numbers are int32, others double. */
import { int32, type Doc, type Value } from '../../src/values/values.ts'

export type Plain = Value | Plain[] | { [name: string]: Plain }

const isTyped = (value: object) => value instanceof Map || Object.getPrototypeOf(value) !== Object.prototype

/** A value from a literal. */
export function v (plain: Plain): Value {
  if (typeof plain === 'number') return Number.isInteger(plain) && !Object.is(plain, -0) && Math.abs(plain) < 2 ** 31 ? int32(plain) : plain
  if (Array.isArray(plain)) return plain.map(v)
  if (typeof plain !== 'object' || plain === null || isTyped(plain)) return plain as Value
  return new Map(Object.entries(plain).map(([name, field]) => [name, v(field)]))
}

/** A document from a literal. */
export function d (plain: { [name: string]: Plain }): Doc {
  return v(plain) as Doc
}
