/** Prints values as MongoDB does in its error messages. */
import {
  Binary, BsonUndefined, Code, DateTime, Decimal128, Int32, MaxKey, MinKey, ObjectId, Regex, Sym, Timestamp,
  type Doc, type Value
} from './values.ts'

export function printValue (value: Value): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`
  if (typeof value === 'number') return printDouble(value)
  if (typeof value === 'bigint' || typeof value === 'boolean' || value === null) return String(value)
  if (value instanceof Int32) return String(value.value)
  if (value instanceof ObjectId) return `ObjectId('${value.toHex()}')`
  if (value instanceof Map) return printDoc(value)
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(printValue).join(', ')} ]`
  if (value instanceof DateTime) return `new Date(${value.bigintMs})`
  if (value instanceof Binary) return printBinary(value)
  if (value instanceof Decimal128) return value.toString()
  if (value instanceof Timestamp) return `Timestamp(${value.seconds}, ${value.ordinal})`
  if (value instanceof Regex) return `/${value.pattern}/${value.flags}`
  if (value instanceof Code) return printCode(value)
  if (value instanceof Sym) return printValue(value.value)
  if (value instanceof MinKey) return 'MinKey'
  if (value instanceof MaxKey) return 'MaxKey'
  return value instanceof BsonUndefined ? 'undefined' : ''
}

function printCode ({ code, scope }: Code): string {
  return scope === undefined ? code : `CodeWScope( ${code}, ${printDoc(scope)})`
}

export function printDoc (doc: Doc): string {
  const fields = [...doc].map(([name, value]) => printField(name, value))
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

/** One field, `name: value`. */
export function printField (name: string, value: Value): string {
  return `${name}: ${printValue(value)}`
}

export function printId (doc: Doc): string {
  const id = doc.get('_id')
  return id === undefined ? '{}' : `{${printField('_id', id)}}`
}

function printDouble (value: number): string {
  if (Number.isNaN(value)) return 'nan.0'
  if (!Number.isFinite(value)) return value < 0 ? '-inf.0' : 'inf.0'
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

function printBinary (value: Binary): string {
  const hex = Buffer.from(value.bytes).toString('hex')
  if (value.subtype === 4 && value.bytes.length === 16) {
    return `UUID("${hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}")`
  }
  return `BinData(${value.subtype}, ${hex.toUpperCase()})`
}
