import {
  MongoBulkWriteError, MongoClientClosedError, MongoError, MongoNetworkTimeoutError, MongoNotConnectedError, MongoServerClosedError,
  MongoServerSelectionError, MongoTopologyClosedError
} from 'mongodb'

const kinds = [
  MongoNetworkTimeoutError, MongoServerSelectionError, MongoNotConnectedError, MongoTopologyClosedError, MongoClientClosedError, MongoServerClosedError
]

/**
 * The database did not answer in time, or there is no way to it. Another try would take as long again, while somebody
 * waits: these come after the time that the driver gives an operation (plugins/mongodb.ts).
 */
export function isUnreachable (error: unknown): boolean {
  const original = unwrapped(error)
  return kinds.some(kind => original instanceof kind) ||
    // No connection was free in time; the driver does not export its class.
    (original instanceof MongoError && original.name === 'MongoWaitQueueTimeoutError')
}

/** A bulk write makes a server's error of whatever went wrong, also of an answer that never came. */
export function unwrapped (error: unknown): unknown {
  if (!(error instanceof MongoBulkWriteError)) return error
  const original: unknown = error.errorResponse
  return original instanceof MongoError ? original : error
}
