/**
 * Index keys: the bytes of a document's indexed values, and the byte bounds of a scan.
 *
 * LMDB limits the length of a key. A longer key is truncated: its first bytes and a hash of the whole. Equal keys stay
 * equal and different ones different, but keys with the same first bytes lose their order. Danger: a scan of an index
 * with `truncated` keys must check the filter again and must not rely on the order.
 */
import { createHash } from 'node:crypto'
import { CODES, MongoError, mongoError } from '../values/errors.ts'
import { appendAboveAll, appendKeyValue, beginKey, takeKey } from './encode.ts'
import { extractKeys, pathsThroughArrays } from './extract.ts'
import { pathParts } from '../values/paths.ts'
import { MAX_KEY, MIN_KEY, type Doc, type Value } from '../values/values.ts'

export interface IndexField { path: string, direction: 1 | -1 }

/** A range of values. MinKey and MaxKey stand for no bound. */
export interface Interval { lower: Value, lowerInclusive: boolean, upper: Value, upperInclusive: boolean }

/** The keys of one document in an index. */
export interface DocumentKeys {
  keys: Buffer[]
  /** The indexed paths that lead through an array: the index may have several keys for one document. */
  arrays: readonly string[]
  /** A key was too long and is truncated. */
  truncated: boolean
}

export interface KeyRange {
  lower: Buffer
  upper: Buffer
  /** The range is wider than requested. */
  truncated: boolean
}

/** The longest key in bytes: LMDB's limit of 1,978 (for pages of 4 KiB) less what the store adds. */
export const KEY_BYTES_MAX = 1940
const HASH_BYTES = 32
const KEY_BYTES_KEPT = KEY_BYTES_MAX - HASH_BYTES
/** Appended to the kept bytes, it is above every hash. */
const NO_PATHS: readonly string[] = []
const ABOVE_HASHES = Buffer.alloc(HASH_BYTES + 1, 0xff)

/** The interval of all values. */
export const EVERYTHING: Interval = { lower: MIN_KEY, lowerInclusive: true, upper: MAX_KEY, upperInclusive: true }

/** The bytes of a whole key, truncated if it is too long. A missing value is encoded as null. */
export function encodeKey (values: readonly (Value | undefined)[], fields: readonly IndexField[]): Buffer {
  return truncated(encodePrefix(values, fields))
}

/** A string that is the same for equal values and different for others. */
export function valueKey (value: Value): string {
  return encodeKey([value], [{ path: '', direction: 1 }]).toString('latin1')
}

/** The bytes of a key's leading values, never truncated. */
export function encodePrefix (values: readonly (Value | undefined)[], fields: readonly IndexField[]): Buffer {
  appendAll(values, fields)
  return takeKey()
}

function appendAll (values: readonly (Value | undefined)[], fields: readonly IndexField[]) {
  beginKey()
  for (let i = 0; i < values.length; i++) appendKeyValue(values[i], (fields[i] as IndexField).direction === -1)
}

function truncated (key: Buffer): Buffer {
  if (key.length <= KEY_BYTES_MAX) return key
  return Buffer.concat([key.subarray(0, KEY_BYTES_KEPT), createHash('sha256').update(key).digest()])
}

/** The keys of a document in an index on `fields`, without duplicates. Two arrays that are not nested are error 171. */
export function indexKeys (fields: readonly IndexField[], doc: Doc): DocumentKeys {
  const single = scalarKey(fields, doc)
  if (single !== undefined) {
    return { keys: [truncated(single)], arrays: NO_PATHS, truncated: single.length > KEY_BYTES_MAX }
  }
  const keys = uniqueKeys(fields, doc)
  return {
    keys: keys.map(truncated),
    arrays: pathsThroughArrays(fields.map(({ path }) => path), doc),
    truncated: keys.some(key => key.length > KEY_BYTES_MAX)
  }
}

/** The key by which a document is sorted: the least of its keys in the order of `fields`, never truncated. */
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

/** The key of a document without an array on an indexed path, as nearly all are; undefined if there is one. */
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
 * The byte range `[lower, upper)` of the keys whose leading fields equal `equalities` and whose next field lies in
 * `interval`.
 */
export function rangeBounds (
  fields: readonly IndexField[], equalities: readonly Value[], interval?: Interval
): KeyRange {
  const { length } = equalities
  appendAll(equalities, fields)
  if (interval === undefined) {
    const lower = takeKey()
    appendAboveAll()
    return truncatedRange(lower, takeKey())
  }
  const { lower, lowerInclusive, upper, upperInclusive } = interval
  const descending = (fields[length] as IndexField).direction === -1
  appendKeyValue(descending ? upper : lower, descending)
  if (descending ? !upperInclusive : !lowerInclusive) appendAboveAll()
  const from = takeKey()
  appendAll(equalities, fields)
  appendKeyValue(descending ? lower : upper, descending)
  if (descending ? lowerInclusive : upperInclusive) appendAboveAll()
  return truncatedRange(from, takeKey())
}

/** Widens long bounds to the kept bytes, because truncated keys with the same kept bytes have no order. */
function truncatedRange (lower: Buffer, upper: Buffer): KeyRange {
  if (lower.length <= KEY_BYTES_KEPT && upper.length <= KEY_BYTES_KEPT) return { lower, upper, truncated: false }
  const isUpperShort = upper.length <= KEY_BYTES_KEPT
  return {
    lower: lower.subarray(0, KEY_BYTES_KEPT),
    upper: isUpperShort ? upper : Buffer.concat([upper.subarray(0, KEY_BYTES_KEPT), ABOVE_HASHES]),
    truncated: true
  }
}

/**
 * Which fields of an index may be bounded together. Fields with the same first path component may have values from
 * different items of one array. So only the first of them may be bounded, and the others must be checked on the
 * document.
 * @param arrays the paths that lead through arrays
 */
export function boundableFields (fields: readonly IndexField[], arrays: readonly string[]): boolean[] {
  const roots = new Set(arrays.map(rootOf))
  const seen = new Set<string>()
  return fields.map(({ path }) => {
    const root = rootOf(path)
    const free = !roots.has(root) || !seen.has(root)
    seen.add(root)
    return free
  })
}

const rootOf = (path: string): string => pathParts(path)[0] as string
