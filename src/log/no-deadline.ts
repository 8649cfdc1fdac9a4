import type { CommandOperationOptions } from 'mongodb'

/**
 * For an operation without a time limit, such as building an index over all messages. The driver passes this option on
 * to the connection; only its types say that it is an option of the client alone.
 */
export const noDeadline = { socketTimeoutMS: 0 } as CommandOperationOptions
