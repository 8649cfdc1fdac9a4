export type * from './types.ts'
export { TidelogError } from './errors.ts'
