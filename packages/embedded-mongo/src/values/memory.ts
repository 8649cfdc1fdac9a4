/** The bound of what one sort or group keeps in memory; beyond it a real server would go to disk, this one refuses. */
import { mongoError } from './errors.ts'
import { Binary, type Value } from './values.ts'

/** MongoDB's. */
export const MEMORY_BYTES_MAX = 100 * 1024 * 1024

/** Throws when `what` keeps more than it may. */
export function checkMemory (bytes: number, what: string): void {
  if (bytes <= MEMORY_BYTES_MAX) return
  throw mongoError('QueryExceededMemoryLimitNoDiskUseAllowed', `${what} exceeded memory limit of ${MEMORY_BYTES_MAX} bytes, and there is no going to disk here`)
}

/** What a value takes in memory, about. */
export function sizeOf (value: Value | undefined): number {
  if (typeof value === 'string') return 24 + value.length
  if (value instanceof Binary) return 64 + value.bytes.length
  let bytes = 32
  if (value instanceof Map) for (const [name, field] of value) bytes += 32 + name.length + sizeOf(field)
  if (Array.isArray(value)) for (const item of value) bytes += 8 + sizeOf(item)
  return bytes
}
