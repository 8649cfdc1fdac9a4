import { MongoError, mongoError } from '../values/errors.ts'
import { WriteFailed } from '../store/environment.ts'

/** The error as a client gets it. One that is not a MongoError is a fault of the engine or of the disk. */
export function asMongoError (error: unknown): MongoError {
  if (error instanceof MongoError) return error
  if (error instanceof WriteFailed && error.isDiskFull) return mongoError('OutOfDiskSpace', error.message)
  return mongoError('InternalError', error instanceof Error ? error.message : String(error))
}
