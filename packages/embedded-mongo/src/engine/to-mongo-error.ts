import { MongoError, mongoError } from '../values/errors.ts'
import { WriteFailed } from '../store/environment.ts'

/** What a client is told of an error; one that is not MongoDB's is a fault in here or of the disk. */
export function asMongoError (error: unknown): MongoError {
  if (error instanceof MongoError) return error
  if (error instanceof WriteFailed && error.isDiskFull) return mongoError('OutOfDiskSpace', error.message)
  return mongoError('InternalError', error instanceof Error ? error.message : String(error))
}
