import { MongoError, mongoError } from './errors.ts'

/** What a client is told of an error; one that is not MongoDB's is a fault in here or of the disk. */
export function asMongoError (error: unknown): MongoError {
  if (error instanceof MongoError) return error
  const message = error instanceof Error ? error.message : String(error)
  if (/MDB_MAP_FULL|No space left|ENOSPC/i.test(message)) return mongoError('OutOfDiskSpace', `the data could not be written: ${message}`)
  return mongoError('InternalError', message)
}
