import { FailureBody } from './primitives.ts'

/** The response schemas of a route's failures: the same body for every status. */
export function failures<const S extends number> (...statuses: S[]): Record<S, typeof FailureBody> {
  return Object.fromEntries(statuses.map(status => [status, FailureBody])) as Record<S, typeof FailureBody>
}
