/** The errors that the engine answers with, by MongoDB's own codes and names. */
import type { Doc } from './values.ts'

export const CODES = {
  InternalError: 1,
  BadValue: 2,
  FailedToParse: 9,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  InvalidBSON: 22,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  CannotBackfillArray: 39,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  NotSingleValueField: 54,
  EmptyFieldName: 56,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  UnknownReplWriteConcern: 79,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  OperationFailed: 96,
  UnsatisfiableWriteConcern: 100,
  WriteConflict: 112,
  CommandNotSupported: 115,
  ExceededMemoryLimit: 146,
  InvalidPipelineOperator: 168,
  CannotIndexParallelArrays: 171,
  QueryPlanKilled: 175,
  InvalidIndexSpecificationOption: 197,
  IncompleteTransactionHistory: 217,
  TransactionTooOld: 225,
  NotImplemented: 238,
  SnapshotUnavailable: 246,
  NotExactValueField: 250,
  NoSuchTransaction: 251,
  TransactionCommitted: 256,
  OperationNotSupportedInTransaction: 263,
  IndexBuildAborted: 276,
  NoQueryExecutionPlans: 291,
  QueryExceededMemoryLimitNoDiskUseAllowed: 292,
  BSONObjectTooLarge: 10334,
  DuplicateKey: 11000,
  InterruptedAtShutdown: 11600,
  CursorInUse: 12051,
  OutOfDiskSpace: 14031
} as const

export type CodeName = keyof typeof CODES

const NAMES = new Map<number, string>(Object.entries(CODES).map(([name, code]) => [code, name]))

/** An error as a client gets it. `extra` holds further fields of the reply (keyPattern, keyValue, …). */
export class MongoError extends Error {
  readonly code: number
  readonly codeName: string
  readonly labels: string[]
  readonly extra: Doc

  constructor (code: number, message: string, labels: string[] = [], extra: Doc = new Map()) {
    super(message)
    this.name = 'MongoError'
    this.code = code
    this.codeName = NAMES.get(code) ?? `Location${code}`
    this.labels = labels
    this.extra = extra
  }
}

/** @param code a name of the table, or the number of one of MongoDB's unnamed `Location…` codes */
export function mongoError (code: CodeName | number, message: string, labels?: string[], extra?: Doc): MongoError {
  return new MongoError(typeof code === 'number' ? code : CODES[code], message, labels, extra)
}

export const badValue = (message: string) => mongoError('BadValue', message)
export const failedToParse = (message: string) => mongoError('FailedToParse', message)
export const typeMismatch = (message: string) => mongoError('TypeMismatch', message)
export const invalidBson = (message: string) => mongoError('InvalidBSON', message)
export const notImplemented = (message: string) => mongoError('NotImplemented', message)
export const writeConflict = () => mongoError('WriteConflict',
  'Caused by :: Write conflict during plan execution and yielding is disabled. :: ' +
  'Please retry your operation or multi-document transaction.',
  ['TransientTransactionError'])
