/** An index as the engine uses it, made from the client's specification, which `listIndexes` returns. */
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
  /** Documents whose indexed field is a date older than this are removed. */
  readonly expireAfterSeconds: number | undefined
  /** Resolves when the index is ready or its build has failed. */
  building: Promise<void> | undefined
  /** Top-level fields: the index's keys of a document can change only if one of these does. */
  readonly touchedBy: readonly string[]
  /**
   * The indexed paths that lead or led through an array of a document. Two items of it may each satisfy one of two
   * conditions on such a path. It is replaced and never changed, so that plans tell whether it has grown.
   */
  arrays: readonly string[]
  /** Is or was a key truncated? Then order and bounds are exact only up to the kept bytes. */
  truncated: boolean
  /** Does it contain all documents? Until then, writes maintain it and reads do not use it. */
  ready: boolean
  /** Commands that still read it must stop. */
  dropped: boolean
  /** The commit that made it ready: entries may be missing in an older snapshot. */
  readySeq: number
}

type Flags = Pick<Index, 'ready' | 'arrays' | 'truncated'>

const noFlags: Flags = { ready: true, arrays: [], truncated: false }

export function defineIndex (id: number, spec: Doc, flags: Flags = noFlags): Index {
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

/** A sparse index contains the documents that have at least one of its fields. */
function sparseFilter (spec: Doc): Doc | undefined {
  if (spec.get('sparse') !== true) return undefined
  const exists = [...(spec.get('key') as Doc).keys()].map(path => docOf({ [path]: docOf({ $exists: true }) }))
  return docOf({ $or: exists })
}

/** The catalog's record of an index. `indexFromRecord` is the inverse. */
export function indexRecord (index: Index): Doc {
  const { id, spec, ready, arrays, truncated } = index
  return docOf({ id, spec, ready, multikey: isMultikey(index), arrays: [...arrays], truncated })
}

export function indexFromRecord (record: Doc): Index {
  const flag = (name: string) => record.get(name) === true
  const spec = record.get('spec') as Doc
  // Older files only say that there are arrays, and not on which paths.
  const arrays = (record.get('arrays') ?? (flag('multikey') ? [...(spec.get('key') as Doc).keys()] : [])) as string[]
  return defineIndex(toNumber(record.get('id')), spec, { ready: flag('ready'), arrays, truncated: flag('truncated') })
}

/** Does or did a document have several keys? */
export const isMultikey = ({ arrays }: Pick<Index, 'arrays'>): boolean => arrays.length > 0

function addFieldNames (filter: Doc, names: Set<string>): void {
  for (const [name, value] of filter) {
    if (!name.startsWith('$')) names.add(name.split('.', 1)[0]!)
    else if (Array.isArray(value)) value.forEach((part: Value) => { if (isDoc(part)) addFieldNames(part, names) })
  }
}
