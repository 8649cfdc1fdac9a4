import { TidelogError } from '../errors.ts'
import type { PreparedCommit } from '../chat/context.ts'

/** Operations of one socket that may wait for their turn; further ones are refused. */
const waitingMax = 5_000

/**
 * Keeps what one socket asks for in order: an operation is prepared after the one before has started its commit (the
 * log keeps the order from there). If it broke, a sender's messages would swap whenever one of them needs a read that
 * the next does not. Nobody waits for another socket, nor for a commit.
 */
export class OperationQueue {
  private last: Promise<void> | undefined
  private waiting = 0

  /** @throws TidelogError OVERLOADED, or whatever the operation throws. */
  async run<R> (prepare: () => Promise<PreparedCommit<R>>): Promise<R> {
    if (this.waiting >= waitingMax) throw new TidelogError('OVERLOADED', undefined, { retryAfterMs: 1_000 })
    this.waiting++
    // Wrapped, so that waiting for the turn is not waiting for the commit.
    const start = async () => ({ committed: (await prepare())() })
    const turn = this.last === undefined ? start() : this.last.then(start)
    const over = turn.then(ignore, ignore)
    this.last = over
    void over.then(() => {
      this.waiting--
      if (this.last === over) this.last = undefined
    })
    return await (await turn).committed
  }
}

function ignore (): void {}
