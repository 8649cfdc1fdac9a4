/** Query filters: parsing, matching, and what they mean for an index. */
export { all, conjuncts, oneOf, type Filter } from './tree.ts'
export { parseFilter } from './parse.ts'
export { matches } from './match.ts'
export { intervalsFor } from './bounds.ts'
export { assertPartialFilter, coveredBy, implies } from './implies.ts'
