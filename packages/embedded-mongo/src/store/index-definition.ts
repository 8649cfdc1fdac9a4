/** An index as the engine uses it, made from the specification a client gave and `listIndexes` returns. */
import { parseFilter } from '../filter/index.ts'
import type { Filter } from '../filter/index.ts'
import type { IndexField } from '../keys/key-bytes.ts'
import { docOf, isDoc, toNumber } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import { prefixOf } from './keys.ts'

export type Index = {
  readonly id: number
  readonly prefix: string
  readonly name: string
  readonly spec: Doc
  readonly fields: readonly IndexField[]
  readonly unique: boolean
  readonly partial: Filter | undefined
  /** Documents whose (single) field is a date older than this are removed. */
  readonly expireAfterSeconds: number | undefined
  /** Settles when the index is ready or has been given up. */
  building: Promise<void> | undefined
  /** First path components whose change can change the index's keys of a document. */
  readonly touchedBy: readonly string[]
  /** Whether some document has (or had) several keys, so that one path may satisfy two conditions by two elements. */
  multikey: boolean
  /** Whether some key was (or is) cut: order and bounds then say nothing beyond its kept bytes. */
  truncated: boolean
  /** Whether all documents are in it; before, it is kept but not read. */
  ready: boolean
  /** What still reads it must stop. */
  dropped: boolean
  /** The commit that made it ready: an older snapshot may lack entries. */
  readySeq: number
}

export function defineIndex (id: number, spec: Doc, flags = { ready: true, multikey: false, truncated: false }): Index {
  const fields = [...spec.get('key') as Doc].map(([path, direction]): IndexField => (
    { path, direction: toNumber(direction) < 0 ? -1 : 1 }
  ))
  const partial = spec.get('partialFilterExpression') ?? sparseFilter(spec)
  const touchedBy = new Set(fields.map(field => field.path.split('.', 1)[0]!))
  if (isDoc(partial)) addFieldNames(partial, touchedBy)
  return {
    id,
    prefix: prefixOf(id),
    name: spec.get('name') as string,
    spec,
    fields,
    unique: spec.get('unique') === true || spec.get('name') === '_id_',
    partial: isDoc(partial) ? parseFilter(partial) : undefined,
    expireAfterSeconds: spec.has('expireAfterSeconds') ? toNumber(spec.get('expireAfterSeconds')) : undefined,
    building: undefined,
    touchedBy: [...touchedBy],
    ...flags,
    dropped: false,
    readySeq: 0
  }
}

/** A sparse index is one of the documents that have any of its fields. */
function sparseFilter (spec: Doc): Doc | undefined {
  if (spec.get('sparse') !== true) return undefined
  const exists = [...(spec.get('key') as Doc).keys()].map(path => docOf({ [path]: docOf({ $exists: true }) }))
  return docOf({ $or: exists })
}

/** What the catalog stores of an index; `indexFromRecord` is the inverse. */
export function indexRecord (index: Index): Doc {
  const { id, spec, ready, multikey, truncated } = index
  return docOf({ id, spec, ready, multikey, truncated })
}

export function indexFromRecord (record: Doc): Index {
  const flag = (name: string) => record.get(name) === true
  return defineIndex(toNumber(record.get('id')), record.get('spec') as Doc,
    { ready: flag('ready'), multikey: flag('multikey'), truncated: flag('truncated') })
}

function addFieldNames (filter: Doc, names: Set<string>): void {
  for (const [name, value] of filter) {
    if (!name.startsWith('$')) names.add(name.split('.', 1)[0]!)
    else if (Array.isArray(value)) value.forEach((part: Value) => { if (isDoc(part)) addFieldNames(part, names) })
  }
}
