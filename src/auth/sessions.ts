/**
 * Sessions: begun by a login, continued by refresh tokens, ended by a logout.
 *
 * A refresh token is good once: exchanging it is one atomic update on its hash. Whoever sends one that was exchanged
 * before has held a token of the session, and so has somebody else who came first: one of them stole it, and the
 * session ends. The one exception is a request that arrives at this process while another with the same token is under
 * way here (a page that refreshes twice at once): both get the same answer.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { AuthContext } from './context.ts'
import { isRevoked } from './identity.ts'
import type { UserRow } from '../users/user-row.ts'

/** What a login or refresh hands out. */
export interface TokenPair {
  token: string
  expiresAt: Date
  refreshToken: string
  user: UserRow
}

const familyChars = 22
const secretChars = 43
const refreshTokenForm = new RegExp(`^[A-Za-z0-9_-]{${familyChars + secretChars}}$`)

/** More logouts than this within the lifetime of a token end all of the user's sessions, which takes one field. */
const revokedMax = 200

/** Before the end of time, and still a date that every driver can store. */
const never = new Date('9999-12-31T00:00:00.000Z')

export async function startSession (context: AuthContext, user: UserRow): Promise<TokenPair> {
  const now = context.now()
  // A session is newer than the logout that it follows, also where another node's clock was ahead.
  const sid = sessionIdAt(Math.max(now, (user.tokensValidFrom?.getTime() ?? 0) + 1))
  const family = randomBytes(16).toString('base64url')
  const refreshToken = nextToken(family)
  await context.sessions.insertOne({
    _id: sid,
    userId: user._id,
    familyHash: hash(family),
    tokenHash: hash(refreshToken),
    createdAt: new Date(now),
    refreshedAt: new Date(now),
    expiresAt: new Date(now + context.refreshTtlMs)
  })
  return grant(context, user, sid, refreshToken)
}

const underWay = new WeakMap<AuthContext, Map<string, Promise<TokenPair>>>()

/** @throws TidelogError INVALID_REFRESH_TOKEN; the session has ended if the token was one of its earlier ones. */
export async function refreshSession (context: AuthContext, refreshToken: string): Promise<TokenPair> {
  if (!refreshTokenForm.test(refreshToken)) throw new TidelogError('INVALID_REFRESH_TOKEN')
  const running = underWay.get(context) ?? new Map<string, Promise<TokenPair>>()
  underWay.set(context, running)
  const tokenHash = hash(refreshToken)
  const same = running.get(tokenHash)
  if (same !== undefined) return await same
  const exchange = rotate(context, refreshToken.slice(0, familyChars), tokenHash).finally(() => { running.delete(tokenHash) })
  running.set(tokenHash, exchange)
  return await exchange
}

async function rotate (context: AuthContext, family: string, tokenHash: string): Promise<TokenPair> {
  const now = context.now()
  const next = nextToken(family)
  const row = await context.sessions.findOneAndUpdate(
    { familyHash: hash(family), tokenHash, expiresAt: { $gt: new Date(now) } },
    { $set: { tokenHash: hash(next), refreshedAt: new Date(now), expiresAt: new Date(now + context.refreshTtlMs) } },
    { returnDocument: 'after' }
  )
  if (row === null) {
    const reused = await context.sessions.findOne({ familyHash: hash(family) })
    if (reused !== null) await endSession(context, reused.userId, reused._id)
    throw new TidelogError('INVALID_REFRESH_TOKEN')
  }
  const user = await context.users.findOne({ _id: row.userId })
  if (user === null || user.isActive === false || isRevoked(user, row._id, new Date(now))) {
    await context.sessions.deleteOne({ _id: row._id })
    throw new TidelogError('INVALID_REFRESH_TOKEN')
  }
  return grant(context, user, row._id, next)
}

/**
 * Ends one session: its refresh token and every access token of it.
 * @param expiresAt the end of the token at hand, which may be a host application's and outlive ours; null: never.
 */
export async function endSession (context: AuthContext, userId: ObjectId, sid: string, expiresAt: Date | null = new Date(0)): Promise<void> {
  const now = context.now()
  await context.sessions.deleteOne({ _id: sid, userId })
  const until = expiresAt === null ? never : new Date(Math.max(expiresAt.getTime(), now + context.accessTtlMs))
  await context.users.updateOne({ _id: userId }, { $pull: { revokedSessions: { until: { $lte: new Date(now) } } } })
  const { matchedCount } = await context.users.updateOne(
    { _id: userId, [`revokedSessions.${revokedMax - 1}`]: { $exists: false } },
    { $push: { revokedSessions: { sid, until } } }
  )
  if (matchedCount === 0) {
    await endAllSessions(context, userId)
    return
  }
  context.directory.announceChange(userId.toHexString())
  await context.announce({ userId: userId.toHexString(), sessionId: sid })
}

/** Ends every session of a user, and refuses every token issued until now. */
export async function endAllSessions (context: AuthContext, userId: ObjectId): Promise<void> {
  await context.users.updateOne({ _id: userId }, { $max: { tokensValidFrom: new Date(context.now()) }, $unset: { revokedSessions: '' } })
  await context.sessions.deleteMany({ userId })
  context.directory.announceChange(userId.toHexString())
  await context.announce({ userId: userId.toHexString() })
}

function grant (context: AuthContext, user: UserRow, sid: string, refreshToken: string): TokenPair {
  // A token counts in whole seconds, and so does its end.
  const iat = Math.floor(context.now() / 1_000)
  return {
    token: context.sign({ id: user._id.toHexString(), sid, iat }),
    expiresAt: new Date(iat * 1_000 + context.accessTtlMs),
    refreshToken,
    user
  }
}

/** A UUID of version 7: 48 bits of milliseconds, then randomness. */
function sessionIdAt (now: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(now, 0, 6)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function nextToken (family: string): string {
  return family + randomBytes(32).toString('base64url')
}

function hash (text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
