import { createHash } from 'node:crypto'
import type { Config } from '../config.ts'
import { TidelogError } from '../errors.ts'
import type { UserRow } from '../users/user-row.ts'
import type { Identity } from '../users/identity.ts'

/** A verified token: who, and for how long. */
export interface Session {
  identity: Identity
  /** Null: a host application's token without an end. */
  expiresAt: Date | null
  /** Null: a host application's token that does not say. */
  issuedAt: Date | null
}

/** A logout or deactivation: of one session, or (without `sessionId`) of all that the user had. */
export interface Revocation {
  userId: string
  sessionId?: string
}

/** The user names whose bearers are administrators. They count exactly as written, since a host application may tell cases apart. */
export function adminNames (config: Config): ReadonlySet<string> {
  return new Set(config.ADMIN_USERS.split(',').map(name => name.trim()).filter(name => name !== ''))
}

/** The claims of a token whose signature, `exp` and `nbf` were found good; nothing else of it is known yet. */
export type Claims = Record<string, unknown>

/** The user that verified claims name. @throws TidelogError INVALID_TOKEN where they name none. */
export function claimedUserId (claims: Claims): string {
  const { id } = claims
  if (typeof id !== 'string' || !/^[0-9a-fA-F]{24}$/.test(id)) throw new TidelogError('INVALID_TOKEN')
  return id.toLowerCase()
}

/**
 * The session of verified claims, if the user's row still admits it.
 * @throws TidelogError UNKNOWN_USER (missing or deactivated) or INVALID_TOKEN (revoked).
 */
export function openSession (token: string, claims: Claims, user: UserRow | undefined, admins: ReadonlySet<string>, now: number): Session {
  if (user === undefined) throw new TidelogError('UNKNOWN_USER')
  const issuedAt = timeOf(claims['iat'])
  const sid = claims['sid']
  const sessionId = typeof sid === 'string' && sid !== '' ? sid : nameOfToken(token)
  const session: Session = {
    identity: { userId: user._id.toHexString(), id: user._id, user, isAdmin: admins.has(user.username), sessionId },
    expiresAt: timeOf(claims['exp']),
    issuedAt
  }
  requireGood(session, user, now)
  return session
}

/**
 * A session that was opened may have ended since: by its time, a logout or a deactivation.
 * @param now milliseconds since 1970
 * @throws TidelogError INVALID_TOKEN, UNKNOWN_USER
 */
export function requireGood ({ identity, expiresAt, issuedAt }: Session, user: UserRow | undefined, now: number): void {
  if (expiresAt !== null && expiresAt.getTime() <= now) throw new TidelogError('INVALID_TOKEN')
  if (user === undefined || user.isActive === false) throw new TidelogError('UNKNOWN_USER')
  if (isRevoked(user, identity.sessionId, issuedAt)) throw new TidelogError('INVALID_TOKEN')
}

/**
 * A session of ours is as old as its login, whose millisecond its id holds: a login in the same second as a logout
 * everywhere is told apart. Other tokens are as old as their `iat`; one that does not say is older than any revocation.
 */
export function isRevoked (user: UserRow, sessionId: string, issuedAt: Date | null): boolean {
  if (user.revokedSessions?.some(revoked => revoked.sid === sessionId) === true) return true
  if (user.tokensValidFrom === undefined) return false
  const began = sessionBegan(sessionId)
  if (began !== undefined) return began <= user.tokensValidFrom.getTime()
  return issuedAt === null || issuedAt.getTime() < user.tokensValidFrom.getTime()
}

/** Milliseconds since 1970 at which the session of a UUID of version 7 began; undefined for other names. */
export function sessionBegan (sessionId: string): number | undefined {
  const match = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.exec(sessionId)
  return match === null ? undefined : parseInt(`${match[1]}${match[2]}`, 16)
}

/** A name of what was signed: the same signature can be written in several ways. */
function nameOfToken (token: string): string {
  return `token:${createHash('sha256').update(token.slice(0, token.lastIndexOf('.'))).digest('base64url')}`
}

/** @throws TidelogError INVALID_TOKEN for what is no number of seconds. */
function timeOf (seconds: unknown): Date | null {
  if (seconds === undefined) return null
  if (typeof seconds !== 'number') throw new TidelogError('INVALID_TOKEN')
  const time = new Date(seconds * 1_000)
  return Number.isNaN(time.getTime()) ? null : time
}
