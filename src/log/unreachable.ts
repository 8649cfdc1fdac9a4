import {
  MongoBulkWriteError, MongoClientClosedError, MongoError, MongoNetworkTimeoutError, MongoNotConnectedError,
  MongoServerClosedError, MongoServerSelectionError, MongoTopologyClosedError
} from 'mongodb'

const kinds = [
  MongoNetworkTimeoutError, MongoServerSelectionError, MongoNotConnectedError, MongoTopologyClosedError,
  MongoClientClosedError, MongoServerClosedError
]

/**
 * Did the database not answer in time, or is there no connection to it? These errors come after the time that the
 * driver gives an operation (plugins/mongodb.ts). Another try would take as long again, while the caller waits.
 */
export function isUnreachable (error: unknown): boolean {
  const original = unwrapped(error)
  return kinds.some(kind => original instanceof kind) ||
    // No connection was free in time. The driver does not export the class of this error.
    (original instanceof MongoError && original.name === 'MongoWaitQueueTimeoutError')
}

/** A bulk write wraps every failure, even a missing reply, in a server's error. */
export function unwrapped (error: unknown): unknown {
  if (!(error instanceof MongoBulkWriteError)) return error
  const original: unknown = error.errorResponse
  return original instanceof Error ? original : error
}
