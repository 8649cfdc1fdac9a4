/** The labels by which a client knows what may be tried again: MongoDB's rules. */
import { isDoc, isNumeric, toNumber } from '../../src/values/values.ts'
import type { Doc, Value } from '../../src/values/values.ts'

/** The server may be back at the next attempt. */
const RETRIABLE = {
  HostUnreachable: 6,
  HostNotFound: 7,
  NetworkTimeout: 89,
  ShutdownInProgress: 91,
  ReadConcernMajorityNotAvailableYet: 134,
  PrimarySteppedDown: 189,
  ExceededTimeLimit: 262,
  SocketException: 9001,
  NotWritablePrimary: 10107,
  InterruptedAtShutdown: 11600,
  InterruptedDueToReplStateChange: 11602,
  NotPrimaryNoSecondaryOk: 13435,
  NotPrimaryOrSecondary: 13436
}

/** The transaction has left nothing behind and may be begun again. */
const TRANSIENT = { LockTimeout: 24, WriteConflict: 112, SnapshotTooOld: 239, SnapshotUnavailable: 246, PreparedTransactionInProgress: 267 }

const NO_SUCH_TRANSACTION = 251

/** The names of the errors that only others than this engine make. */
export const NAMES = new Map<number, string>(Object.entries({ ...RETRIABLE, ...TRANSIENT, Interrupted: 11601 }).map(([name, code]) => [code, name]))

const isOneOf = (table: Record<string, number>, code: number | undefined) => code !== undefined && Object.values(table).includes(code)

/** The labels of the reply to the command `body`, by its error and the error of its write concern. */
export function errorLabels (body: Doc, reply: Doc): Value[] {
  if (!body.has('txnNumber')) return []
  const code = codeOf(reply)
  const concernError = reply.get('writeConcernError')
  const concernCode = isDoc(concernError) ? codeOf(concernError) : undefined
  const inTransaction = body.has('autocommit')
  const isEnd = body.has('commitTransaction') || body.has('abortTransaction')
  const isGone = code === NO_SUCH_TRANSACTION
  const isTransient = isOneOf(TRANSIENT, code) || (isEnd ? isGone && concernCode === undefined : isGone || isOneOf(RETRIABLE, code))
  if (inTransaction && isTransient) return ['TransientTransactionError']
  if (inTransaction && !isEnd) return []
  return isOneOf(RETRIABLE, code) || isOneOf(RETRIABLE, concernCode) ? ['RetryableWriteError'] : []
}

function codeOf (error: Doc): number | undefined {
  const code = error.get('code')
  return isNumeric(code) ? toNumber(code) : undefined
}
