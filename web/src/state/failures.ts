import { texts } from '../i18n/index.ts'

const byCode: Record<string, keyof typeof texts.value.errors> = {
  OFFLINE: 'OFFLINE',
  TIMEOUT: 'TIMEOUT',
  STORAGE: 'STORAGE',
  NO_SESSION: 'NO_SESSION',
  READ_ONLY: 'READ_ONLY',
  SLOW_MODE: 'SLOW_MODE',
  NOT_ALLOWED: 'NOT_ALLOWED',
  NOT_FOUND: 'NOT_FOUND',
  USER_NOT_FOUND: 'USER_NOT_FOUND',
  RATE_LIMITED: 'RATE_LIMITED',
  TOO_LARGE: 'TOO_LARGE',
  QUOTA_EXCEEDED: 'QUOTA_EXCEEDED',
  UNSUPPORTED_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  STORAGE_FULL: 'STORAGE_FULL',
  VALIDATION: 'VALIDATION',
  CONFLICT: 'CONFLICT',
  INVALID_CREDENTIALS: 'INVALID_CREDENTIALS',
  USERNAME_TAKEN: 'TAKEN',
  EMAIL_TAKEN: 'TAKEN'
}

/** Why something failed, in the reader's language; the server's own English if it says more than the code. */
export function why (error: unknown): string {
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string }
  const known = byCode[code]
  const told = texts.value.errors
  if (known === undefined) return message === '' ? told.other : message
  const text = told[known] as string
  return code === 'VALIDATION' && message !== '' ? `${text}: ${message}` : text
}

export const isAborted = (error: unknown): boolean => (error as { code?: string } | undefined)?.code === 'ABORTED'
