/** Queries: what they are made of, how they are parsed, what they match, and what they mean for an index. */
export { all, conjuncts, oneOf, type Filter } from './filter-tree.ts'
export { parseFilter } from './filter-parse.ts'
export { matches } from './filter-match.ts'
export { intervalsFor, type Bounds } from './filter-bounds.ts'
export { assertPartialFilter, coveredBy, implies } from './filter-implies.ts'
