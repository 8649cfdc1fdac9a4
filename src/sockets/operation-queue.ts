import { TidelogError } from '../errors.ts'
import type { PreparedCommit } from '../chat/context.ts'

/** Operations of one socket that may wait; further ones are refused. */
const waitingMax = 5_000

/**
 * Keeps the operations of one socket in order: each is prepared after the previous one has started its commit (from
 * there the log keeps the order). If it broke, a sender's messages would be swapped if one of them needs a read that
 * the next does not. No operation waits for another socket, or for a commit.
 */
export class OperationQueue {
  private last: Promise<void> | undefined
  private waiting = 0

  /** @throws TidelogError OVERLOADED, or any error of the operation */
  async run<R> (prepare: () => Promise<PreparedCommit<R>>): Promise<R> {
    if (this.waiting >= waitingMax) throw new TidelogError('OVERLOADED', undefined, { retryAfterMs: 1_000 })
    this.waiting++
    // Wrapped in an object, so that the queue does not wait for the commit.
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
