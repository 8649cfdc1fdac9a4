import type { CommandOperationOptions } from 'mongodb'

/**
 * For an operation that may take longer than others are given, such as building an index over all messages. The driver
 * hands this on to the connection, which it is meant for; its types know it as an option of the client alone.
 */
export const noDeadline = { socketTimeoutMS: 0 } as CommandOperationOptions
