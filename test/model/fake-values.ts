import { MongoServerError, ObjectId } from 'mongodb'

/** How values compare, filters match and the server's errors look. */

export type Doc = Record<string, unknown> & { _id: unknown }

export function keyOf (value: unknown): string {
  if (value instanceof ObjectId) return value.toHexString()
  if (value instanceof Date) return `t${value.getTime()}`
  return `${typeof value === 'number' ? 'n' : ''}${String(value)}`
}

export function matches (doc: Doc, filter: Record<string, unknown>): boolean {
  return Object.entries(filter).every(([field, wanted]) => {
    if (field === '$or') return (wanted as Array<Record<string, unknown>>).some(branch => matches(doc, branch))
    const value = doc[field]
    if (Array.isArray(value)) {
      return value.some((one: unknown) => matches({ _id: doc._id, [field]: one }, { [field]: wanted }))
    }
    if (typeof wanted !== 'object' || wanted === null || wanted instanceof ObjectId || wanted instanceof Date) return keyOf(value) === keyOf(wanted)
    return Object.entries(wanted).every(([operator, operand]) => {
      switch (operator) {
        case '$in': return (operand as unknown[]).some(one => keyOf(one) === keyOf(value))
        case '$nin': return !(operand as unknown[]).some(one => keyOf(one) === keyOf(value))
        case '$gt': return value !== undefined && Number(value) > Number(operand)
        case '$lt': return value !== undefined && Number(value) < Number(operand)
        case '$lte': return value !== undefined && Number(value) <= Number(operand)
        case '$gte': return value !== undefined && Number(value) >= Number(operand)
        case '$exists': return (value !== undefined) === operand
        default: throw new Error(`The fake knows no ${operator}`)
      }
    })
  })
}

export function serverError (code: number, message: string, errorLabels: string[]): MongoServerError {
  return new MongoServerError({ message, errmsg: message, code, errorLabels })
}

export const duplicateKey = (table: string, index: string): MongoServerError =>
  serverError(11000, `E11000 duplicate key error collection: tidelog.${table} index: ${index} dup key: {}`, [])
export const writeConflict = (): MongoServerError => serverError(112, 'Write conflict', ['TransientTransactionError'])
export const network = (): MongoServerError => serverError(6, 'Connection lost', ['TransientTransactionError'])
export const unknownResult = (): MongoServerError => serverError(6, 'Connection lost', ['UnknownTransactionCommitResult'])
export const noSuchTransaction = (): MongoServerError => serverError(251, 'No such transaction', ['TransientTransactionError'])
