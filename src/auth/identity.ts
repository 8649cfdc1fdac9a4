import { createHash } from 'node:crypto'
import { TidelogError } from '../errors.ts'
import type { AdminNames } from './admin-names.ts'
import type { UserRow } from '../users/user-row.ts'
import type { Identity } from '../users/identity.ts'

/** A verified token: its user and its lifetime. */
export interface Session {
  identity: Identity
  /** Null: a host application's token without an expiry. */
  expiresAt: Date | null
  /** Null: a host application's token without a time of issue. */
  issuedAt: Date | null
  /** Of our own tokens: the user's token generation, and the pair within the session. */
  generation: number | null
  pair: number
}

/**
 * A logout or deactivation: of one session, or (without `sessionId`) of all the user's sessions except `keptSessionId`.
 */
export interface Revocation {
  userId: string
  sessionId?: string
  keptSessionId?: string
}

/** The claims of a token whose signature, `exp` and `nbf` were verified. Nothing else in them is checked yet. */
export type Claims = Record<string, unknown>

/** The user named by verified claims. @throws TidelogError INVALID_TOKEN if they name none. */
export function claimedUserId (claims: Claims): string {
  const { id } = claims
  if (typeof id !== 'string' || !/^[0-9a-fA-F]{24}$/.test(id)) throw new TidelogError('INVALID_TOKEN')
  return id.toLowerCase()
}

/**
 * Opens the session of verified claims, if the user's row allows it.
 * @throws TidelogError UNKNOWN_USER (missing or deactivated) or INVALID_TOKEN (revoked).
 */
export function openSession (
  token: string, claims: Claims, user: UserRow | undefined, admins: AdminNames, now: number
): Session {
  if (user === undefined) throw new TidelogError('UNKNOWN_USER')
  const issuedAt = timeOf(claims['iat'])
  const sid = claims['sid']
  const sessionId = typeof sid === 'string' && sid !== '' ? sid : nameOfToken(token)
  const origin = originOf(claims['tidelog'])
  const session: Session = {
    identity: { userId: user._id.toHexString(), id: user._id, user, isAdmin: admins.isAdmin(user), sessionId },
    expiresAt: timeOf(claims['exp']),
    issuedAt,
    ...origin
  }
  requireGood(session, user, now)
  return session
}

/**
 * Checks that an open session has not ended since, by expiry, logout or deactivation.
 * @param now milliseconds since 1970
 * @throws TidelogError INVALID_TOKEN, UNKNOWN_USER
 */
export function requireGood (
  { identity: { sessionId }, expiresAt, issuedAt, generation }: Session, user: UserRow | undefined, now: number
): void {
  if (expiresAt !== null && expiresAt.getTime() <= now) throw new TidelogError('INVALID_TOKEN')
  if (user === undefined || user.isActive === false) throw new TidelogError('UNKNOWN_USER')
  if (isRevoked(user, { sessionId, generation, issuedAt })) throw new TidelogError('INVALID_TOKEN')
}

/** The fields of a token by which it can be revoked. */
export interface Origin {
  sessionId: string
  /** How often all sessions of the user had been ended when the token was made; null: a host application's token. */
  generation: number | null
  issuedAt: Date | null
}

/**
 * Our own tokens carry the count of how often all their user's sessions were ended, so no clock matters. A host
 * application's tokens are compared by `iat`; one without it counts as older than any revocation.
 */
export function isRevoked (user: UserRow, { sessionId, generation, issuedAt }: Origin): boolean {
  if (user.revokedSessions?.some(revoked => revoked.sid === sessionId) === true) return true
  if (user.keptSession === sessionId) return false
  if (generation !== null) return generation < (user.tokenGeneration ?? 0)
  if (user.tokensValidFrom === undefined) return false
  return issuedAt === null || issuedAt.getTime() < user.tokensValidFrom.getTime()
}

/** Derives a name from the signed part of a token, because the same signature can be written in several ways. */
function nameOfToken (token: string): string {
  return `token:${createHash('sha256').update(token.slice(0, token.lastIndexOf('.'))).digest('base64url')}`
}

/** The generation and pair in the claims of our own tokens. */
function originOf (claim: unknown): { generation: number | null, pair: number } {
  if (claim === undefined) return { generation: null, pair: 0 }
  const [generation, pair] = Array.isArray(claim) ? claim as unknown[] : []
  if (!isCount(generation) || !isCount(pair)) throw new TidelogError('INVALID_TOKEN')
  return { generation, pair }
}

function isCount (value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** @throws TidelogError INVALID_TOKEN if it is not a number of seconds. */
function timeOf (seconds: unknown): Date | null {
  if (seconds === undefined) return null
  if (typeof seconds !== 'number') throw new TidelogError('INVALID_TOKEN')
  const time = new Date(seconds * 1_000)
  return Number.isNaN(time.getTime()) ? null : time
}
