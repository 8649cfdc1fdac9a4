/**
 * Runs the statements of a write command one after the other: skips what a retryable write has done already, waits for
 * open transactions that hold a lock, and collects errors as MongoDB reports them.
 */
import type { Call } from './command.ts'
import type { MongoError } from '../values/errors.ts'
import { mongoError } from '../values/errors.ts'
import { docOf, int32 } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import { Locked } from '../store/writer.ts'
import { asMongoError } from '../engine/to-mongo-error.ts'
import { Slice } from '../values/slices.ts'
import { WRITE_BATCH_MAX } from './handshake.ts'

/** Calls `attempt`. If an open transaction holds a lock, waits until that ends, and tries again. */
export function whenUnlocked<T> (call: Call, attempt: () => T | Promise<T>): T | Promise<T> {
  const again = (error: unknown) => {
    if (!(error instanceof Locked)) throw error
    return call.untilEnded(error.holder).then(() => whenUnlocked(call, attempt))
  }
  try {
    const result = attempt()
    return result instanceof Promise ? result.catch(again) : result
  } catch (error) {
    return again(error)
  }
}

/** Runs a statement, or returns its result if the same retryable write ran it before. `write` must be synchronous. */
export function once (call: Call, statementId: number, write: () => Doc): Doc {
  if (call.retryNumber === undefined) return write()
  return call.session!.once(call.retryNumber, statementId, write)
}

/** A retry cannot repeat a statement on many documents: its result does not say which documents it changed. */
export function refuseRetry (call: Call, what: string): void {
  if (call.retryNumber === undefined) return
  throw mongoError('InvalidOptions', `Cannot use (or request) retryable writes with ${what}`)
}

/** Runs `count` statements; returns the errors to report. */
export async function runStatements (
  call: Call, count: number, run: (i: number) => void | Promise<void>
): Promise<Value[]> {
  checkBatchSize(count)
  const errors: Value[] = []
  await runEach(call, count, run, (i, error) => { errors.push(writeError(i, error)) })
  return errors
}

export function checkBatchSize (count: number): void {
  if (count > 0 && count <= WRITE_BATCH_MAX) return
  throw mongoError('InvalidLength',
    `Write batch sizes must be between 1 and ${WRITE_BATCH_MAX}. Got ${count} operations.`)
}

/**
 * Runs `count` statements and reports the error of each that fails. The others are not run if the first failure ends
 * the command: it is ordered, or part of a transaction, which ends too, or `failed` says 'stop'.
 */
export async function runEach (
  call: Call, count: number, run: (i: number) => void | Promise<void>,
  failed: (i: number, error: MongoError) => void | 'stop'
): Promise<void> {
  const ordered = call.boolean('ordered', true)
  const slice = new Slice()
  for (let i = 0; i < count; i++) {
    try {
      const running = run(i)
      if (running instanceof Promise) await running
      if (slice.isOver()) await call.yieldNow()
    } catch (thrown) {
      const error = asMongoError(thrown)
      if (endsCommand(call, error)) throw error
      call.transaction?.abort()
      if (failed(i, error) === 'stop' || ordered || call.transaction !== undefined) break
    }
  }
}

/** Does the error end the whole command, instead of one statement? */
function endsCommand (call: Call, error: MongoError): boolean {
  return error.labels.length > 0 || error.codeName === 'MaxTimeMSExpired' || error.codeName === 'InternalError' ||
    (call.transaction !== undefined && call.transaction.state !== 'open')
}

function writeError (index: number, error: MongoError): Doc {
  const doc = docOf({ index: int32(index), code: int32(error.code), errmsg: error.message })
  for (const [name, value] of error.extra) doc.set(name, value)
  return doc
}
