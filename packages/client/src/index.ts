export type * from './types.ts'
export { TidelogError } from './errors.ts'
export { createClient } from './client.ts'
export { memoryStorage } from './storage/memory.ts'
