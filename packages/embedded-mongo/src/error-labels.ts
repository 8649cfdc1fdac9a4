/** The labels by which a client knows what may be tried again: MongoDB's rules. */
import { CODES } from './errors.ts'
import type { CodeName } from './errors.ts'
import { isDoc, isNumeric, toNumber } from './values.ts'
import type { Doc, Value } from './values.ts'

const codes = (...names: CodeName[]) => new Set<number | undefined>(names.map(name => CODES[name]))

/** The server may be back at the next attempt. */
const RETRIABLE = codes(
  'HostUnreachable', 'HostNotFound', 'NetworkTimeout', 'ShutdownInProgress', 'ReadConcernMajorityNotAvailableYet', 'PrimarySteppedDown', 'ExceededTimeLimit',
  'SocketException', 'NotWritablePrimary', 'InterruptedAtShutdown', 'InterruptedDueToReplStateChange', 'NotPrimaryNoSecondaryOk', 'NotPrimaryOrSecondary'
)

/** The transaction has left nothing behind and may be begun again. */
const TRANSIENT = codes('LockTimeout', 'WriteConflict', 'SnapshotTooOld', 'SnapshotUnavailable', 'PreparedTransactionInProgress')

/** The labels of the reply to the command `body`, by its error and the error of its write concern. */
export function errorLabels (body: Doc, reply: Doc): Value[] {
  if (!body.has('txnNumber')) return []
  const code = codeOf(reply)
  const concernError = reply.get('writeConcernError')
  const concernCode = isDoc(concernError) ? codeOf(concernError) : undefined
  const inTransaction = body.has('autocommit')
  const isEnd = body.has('commitTransaction') || body.has('abortTransaction')
  const isGone = code === CODES.NoSuchTransaction
  const isTransient = TRANSIENT.has(code) || (isEnd ? isGone && concernCode === undefined : isGone || RETRIABLE.has(code))
  if (inTransaction && isTransient) return ['TransientTransactionError']
  if (inTransaction && !isEnd) return []
  return RETRIABLE.has(code) || RETRIABLE.has(concernCode) ? ['RetryableWriteError'] : []
}

function codeOf (error: Doc): number | undefined {
  const code = error.get('code')
  return isNumeric(code) ? toNumber(code) : undefined
}
