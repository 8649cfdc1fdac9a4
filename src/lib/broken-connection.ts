const codes = new Set<unknown>(['EPIPE', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT'])

/**
 * Is it the operating system's error for a connection that is broken? The driver makes one of its own of it, except if
 * it comes while a command is written.
 */
export function isBrokenConnection (error: unknown): boolean {
  return error instanceof Error && codes.has((error as NodeJS.ErrnoException).code)
}
