/**
 * Index keys: the byte form of a document's indexed values, and the byte bounds of a scan.
 *
 * LMDB bounds the length of a key. A longer one keeps its first bytes and a hash of the whole: equal keys are still equal and different
 * ones still different, but the order among keys with the same first bytes is lost. `truncated` says so; a scan of an index that holds such
 * keys must check the filter again and must not rely on the order.
 */
import { createHash } from 'node:crypto'
import { CODES, MongoError, mongoError } from '../values/errors.ts'
import { appendAboveAll, appendKeyValue, beginKey, takeKey } from './encode.ts'
import { extractKeys } from './extract.ts'
import { pathParts } from '../values/paths.ts'
import { MAX_KEY, MIN_KEY, type Doc, type Value } from '../values/values.ts'

export interface IndexField { path: string, direction: 1 | -1 }

/** A range of values; open ends are MinKey and MaxKey. */
export interface Interval { lower: Value, lowerInclusive: boolean, upper: Value, upperInclusive: boolean }

/** What one document contributes to an index. */
export interface DocumentKeys {
  keys: Buffer[]
  /** An indexed path led through an array, even one of a single item: the index may hold several keys of one document. */
  multikey: boolean
  /** A key was too long and is cut. */
  truncated: boolean
}

export interface KeyRange {
  lower: Buffer
  upper: Buffer
  /** The bounds are wider than what was asked for. */
  truncated: boolean
}

/** The longest key in bytes: LMDB's 1,978 (with pages of 4 KiB) less what the store puts around it. */
export const KEY_BYTES_MAX = 1940
const HASH_BYTES = 32
const KEY_BYTES_KEPT = KEY_BYTES_MAX - HASH_BYTES
/** After the bytes kept, above every hash that may follow them. */
const ABOVE_HASHES = Buffer.alloc(HASH_BYTES + 1, 0xff)

/** The interval of all values. */
export const EVERYTHING: Interval = { lower: MIN_KEY, lowerInclusive: true, upper: MAX_KEY, upperInclusive: true }

/** The bytes of a whole key, in the order of the fields' directions; a missing value is a null. Cut with a hash when too long. */
export function encodeKey (values: readonly (Value | undefined)[], fields: readonly IndexField[]): Buffer {
  return cutKey(encodePrefix(values, fields))
}

/** A string that equal values, and only those, have in common. */
export function valueKey (value: Value): string {
  return encodeKey([value], [{ path: '', direction: 1 }]).toString('latin1')
}

/** The bytes of a key's leading values, never cut. */
export function encodePrefix (values: readonly (Value | undefined)[], fields: readonly IndexField[]): Buffer {
  appendAll(values, fields)
  return takeKey()
}

function appendAll (values: readonly (Value | undefined)[], fields: readonly IndexField[]) {
  beginKey()
  for (let i = 0; i < values.length; i++) appendKeyValue(values[i], (fields[i] as IndexField).direction === -1)
}

function cutKey (key: Buffer): Buffer {
  if (key.length <= KEY_BYTES_MAX) return key
  return Buffer.concat([key.subarray(0, KEY_BYTES_KEPT), createHash('sha256').update(key).digest()])
}

/** The keys of a document in an index over `fields`, each once. Two arrays that are not one inside the other are error 171. */
export function indexKeys (fields: readonly IndexField[], doc: Doc): DocumentKeys {
  const single = scalarKey(fields, doc)
  if (single !== undefined) return { keys: [cutKey(single)], multikey: false, truncated: single.length > KEY_BYTES_MAX }
  const keys = uniqueKeys(fields, doc)
  return { keys: keys.map(cutKey), multikey: true, truncated: keys.some(key => key.length > KEY_BYTES_MAX) }
}

/** The key a document is sorted by: the least of its keys in the order of `fields`, never cut. */
export function sortKey (fields: readonly IndexField[], doc: Doc): Buffer {
  const single = scalarKey(fields, doc)
  if (single !== undefined) return single
  try {
    return uniqueKeys(fields, doc).reduce((least, key) => Buffer.compare(key, least) < 0 ? key : least)
  } catch (error) {
    if (!(error instanceof MongoError) || error.code !== CODES.CannotIndexParallelArrays) throw error
    throw mongoError('BadValue', 'cannot sort with keys that are parallel arrays')
  }
}

/** The key of a document no array of which lies on an indexed path (nearly all of them); undefined when one does. */
function scalarKey (fields: readonly IndexField[], doc: Doc): Buffer | undefined {
  beginKey()
  for (let i = 0; i < fields.length; i++) {
    const { path, direction } = fields[i] as IndexField
    let value: Value | undefined = doc.get(path)
    if (value === undefined || path.includes('.')) {
      const parts = pathParts(path)
      value = doc
      for (let part = 0; part < parts.length && value !== undefined; part++) {
        if (Array.isArray(value)) return undefined
        value = value instanceof Map ? value.get(parts[part] as string) : undefined
      }
    }
    if (Array.isArray(value)) return undefined
    appendKeyValue(value, direction === -1)
  }
  return takeKey()
}

function uniqueKeys (fields: readonly IndexField[], doc: Doc): Buffer[] {
  const keys = extractKeys(fields.map(field => field.path), doc).map(values => encodePrefix(values, fields))
  if (keys.length === 1) return keys
  const seen = new Map<string, Buffer>()
  for (const key of keys) seen.set(key.toString('latin1'), key)
  return [...seen.values()]
}

/**
 * The byte range `[lower, upper)` of the keys whose leading fields equal `equalities` and whose next field lies in `interval`.
 * Within it a scan gives ascending keys; the same range read backwards gives the reverse order.
 */
export function rangeBounds (fields: readonly IndexField[], equalities: readonly Value[], interval?: Interval): KeyRange {
  const { length } = equalities
  appendAll(equalities, fields)
  if (interval === undefined) {
    const lower = takeKey()
    appendAboveAll()
    return cutRange(lower, takeKey())
  }
  const { lower, lowerInclusive, upper, upperInclusive } = interval
  const descending = (fields[length] as IndexField).direction === -1
  appendKeyValue(descending ? upper : lower, descending)
  if (descending ? !upperInclusive : !lowerInclusive) appendAboveAll()
  const from = takeKey()
  appendAll(equalities, fields)
  appendKeyValue(descending ? lower : upper, descending)
  if (descending ? lowerInclusive : upperInclusive) appendAboveAll()
  return cutRange(from, takeKey())
}

/** Widens bounds so long that they could fall among keys with the same kept bytes. */
function cutRange (lower: Buffer, upper: Buffer): KeyRange {
  if (lower.length <= KEY_BYTES_KEPT && upper.length <= KEY_BYTES_KEPT) return { lower, upper, truncated: false }
  return {
    lower: lower.subarray(0, KEY_BYTES_KEPT),
    upper: upper.length <= KEY_BYTES_KEPT ? upper : Buffer.concat([upper.subarray(0, KEY_BYTES_KEPT), ABOVE_HASHES]),
    truncated: true
  }
}

/**
 * Which fields of an index may be bounded together. In a multikey index the fields that share their first path component may have come
 * from different items of one array, so only the first of them may be bounded; the others must be checked on the document.
 */
export function boundableFields (fields: readonly IndexField[], multikey: boolean): boolean[] {
  const seen = new Set<string>()
  return fields.map(({ path }) => {
    const root = pathParts(path)[0] as string
    const free = !multikey || !seen.has(root)
    seen.add(root)
    return free
  })
}
