const codes = new Set<unknown>(['EPIPE', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT'])

/**
 * Is it the operating system's error for a broken connection? The driver wraps it in its own error, except if it
 * comes while a command is written.
 */
export function isBrokenConnection (error: unknown): boolean {
  return error instanceof Error && codes.has((error as NodeJS.ErrnoException).code)
}
