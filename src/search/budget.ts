import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { ConversationLog } from '../log/conversation-log.ts'

/** Characters after which a search yields to other work: folding them takes some milliseconds. */
const charsInTurn = 20_000

/** The texts that one call may still compare. The current text is always compared: every call makes progress. */
export class Budget {
  rows: number
  private chars: number
  private inTurn = 0

  constructor ({ rowsMax, charsMax }: { rowsMax: number, charsMax: number }) {
    this.rows = rowsMax
    this.chars = charsMax === 0 ? Infinity : charsMax
  }

  /** Counts a text, and waits if it is the turn of other work. */
  async take (chars: number): Promise<void> {
    this.rows--
    this.chars -= chars
    this.inTurn += chars
    if (this.inTurn < charsInTurn) return
    this.inTurn = 0
    await nextTurn()
  }

  get isSpent (): boolean {
    return this.rows <= 0 || this.chars <= 0
  }
}

/** While somebody writes, a search rests this many times as long as it has worked: it takes little of their rate. */
const restFactor = 4
const restMsMax = 100

/** To be called after each query of the database: rests if commits wait. */
export function givingWay (log: ConversationLog): () => Promise<void> {
  let since = performance.now()
  return async () => {
    const { waiting, running } = log.commitLoad
    const restMs = Math.min((performance.now() - since) * restFactor, restMsMax)
    if (waiting + running > 0) await delay(restMs)
    since = performance.now()
  }
}
