import type { History } from '../history.ts'
import type { Finding } from '../report.ts'

/** If a long poll takes longer than its `waitMs` plus this many milliseconds, its answer is late. */
const lateMs = 10_000
/** A call that waits for nothing counts as slow from this many milliseconds on. */
export const slowMs = 1_000

/**
 * A long poll is answered in its time. Calls that wait for nothing show how slow the deployment, its database or the
 * machine of the kit was meanwhile: a poll may be late by as much as the slowest of them.
 */
export function latePolls ({ polls, slowCalls }: Pick<History, 'polls' | 'slowCalls'>): Finding[] {
  return polls.flatMap(({ waitMs, startedAt, doneAt }) => {
    const meanwhile = slowCalls.filter(({ from, to }) => from <= doneAt && to >= startedAt)
      .map(({ from, to }) => to - from)
    const took = doneAt - startedAt
    if (took <= waitMs + lateMs + Math.max(0, ...meanwhile)) return []
    return [{ what: `POST /api/sync with waitMs ${waitMs} was answered after ${took} ms` }]
  })
}
