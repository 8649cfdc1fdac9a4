/** Queries: what they are made of, how they are parsed, what they match, and what they mean for an index. */
export { all, conjuncts, oneOf, type Filter } from './tree.ts'
export { parseFilter } from './parse.ts'
export { matches } from './match.ts'
export { intervalsFor, type Bounds } from './bounds.ts'
export { assertPartialFilter, coveredBy, implies } from './implies.ts'
