/** Limits the memory of a sort or a group. MongoDB uses the disk above this limit; the engine refuses. */
import { mongoError } from './errors.ts'
import { Binary, type Value } from './values.ts'

/** MongoDB's limit. */
export const MEMORY_BYTES_MAX = 100 * 1024 * 1024

/** @param what names the operation in the error */
export function checkMemory (bytes: number, what: string): void {
  if (bytes <= MEMORY_BYTES_MAX) return
  throw mongoError('QueryExceededMemoryLimitNoDiskUseAllowed',
    `${what} exceeded memory limit of ${MEMORY_BYTES_MAX} bytes, and the engine does not use the disk for this`)
}

/** Approximate memory of a value, in bytes. */
export function sizeOf (value: Value | undefined): number {
  if (typeof value === 'string') return 24 + value.length
  if (value instanceof Binary) return 64 + value.bytes.length
  let bytes = 32
  if (value instanceof Map) for (const [name, field] of value) bytes += 32 + name.length + sizeOf(field)
  if (Array.isArray(value)) for (const item of value) bytes += 8 + sizeOf(item)
  return bytes
}
