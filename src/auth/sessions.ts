/**
 * Sessions: a login starts them, refresh tokens continue them, a logout ends them.
 *
 * A refresh token is exchanged for the next pair of tokens. If the response is lost, the client can exchange it again
 * until the new pair is used; that replaces the unused pair. Any other token of the session (an older one, one whose
 * successor was used, one that was replaced unused) proves that somebody has a copy: the session ends. Overlapping
 * requests with one token at this process get the same response.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { AuthContext } from './context.ts'
import { isRevoked } from './identity.ts'
import { rememberAddress } from './prove-password.ts'
import type { SessionRow } from './session-rows.ts'
import type { UserRow } from '../users/user-row.ts'
import type { Caller } from './context.ts'

/** The tokens from a login or refresh. */
export interface TokenPair {
  token: string
  expiresAt: Date
  refreshToken: string
  user: UserRow
}

const familyChars = 22
const secretChars = 43
const refreshTokenForm = new RegExp(`^[A-Za-z0-9_-]{${familyChars + secretChars}}$`)

/**
 * If a user logs out of more sessions than this within a token's lifetime, all their sessions end, which takes one
 * field.
 */
const revokedMax = 200

/** A date far in the future that every driver can store. */
const never = new Date('9999-12-31T00:00:00.000Z')

/** @param client the client's name for itself */
export async function startSession (context: AuthContext, user: UserRow, client: string | null): Promise<TokenPair> {
  const now = context.now()
  const family = randomBytes(16).toString('base64url')
  const refreshToken = nextToken(family)
  const row: SessionRow = {
    _id: randomUUID(),
    userId: user._id,
    familyHash: hash(family),
    tokenHash: hash(refreshToken),
    pair: 0,
    generation: user.tokenGeneration ?? 0,
    client,
    createdAt: new Date(now),
    refreshedAt: new Date(now),
    expiresAt: new Date(now + context.refreshTtlMs)
  }
  await context.sessions.insertOne(row)
  return grant(context, user, row, refreshToken)
}

const underWay = new WeakMap<AuthContext, Map<string, Promise<TokenPair>>>()

/**
 * @throws TidelogError INVALID_REFRESH_TOKEN; if the token belongs to a session but may not be exchanged, that session
 * has ended.
 */
export async function refreshSession (context: AuthContext, refreshToken: string, caller: Caller): Promise<TokenPair> {
  if (!refreshTokenForm.test(refreshToken)) throw new TidelogError('INVALID_REFRESH_TOKEN')
  const running = underWay.get(context) ?? new Map<string, Promise<TokenPair>>()
  underWay.set(context, running)
  const tokenHash = hash(refreshToken)
  const same = running.get(tokenHash)
  if (same !== undefined) return await same
  const exchange = rotate(context, refreshToken.slice(0, familyChars), tokenHash, caller)
    .finally(() => { running.delete(tokenHash) })
  running.set(tokenHash, exchange)
  return await exchange
}

async function rotate (
  context: AuthContext, family: string, tokenHash: string, { address, client }: Caller
): Promise<TokenPair> {
  const now = context.now()
  const next = nextToken(family)
  const row = await context.sessions.findOneAndUpdate(
    { familyHash: hash(family), $or: [{ tokenHash }, { previousHash: tokenHash }], expiresAt: { $gt: new Date(now) } },
    {
      $set: {
        tokenHash: hash(next),
        previousHash: tokenHash,
        client,
        refreshedAt: new Date(now),
        expiresAt: new Date(now + context.refreshTtlMs)
      },
      $inc: { pair: 1 }
    },
    { returnDocument: 'after' }
  )
  if (row === null) {
    const reused = await context.sessions.findOne({ familyHash: hash(family) })
    if (reused !== null) await endSession(context, reused.userId, reused._id)
    throw new TidelogError('INVALID_REFRESH_TOKEN')
  }
  const user = await context.users.findOne({ _id: row.userId })
  const claims = { sessionId: row._id, generation: row.generation ?? 0, issuedAt: null }
  if (user === null || user.isActive === false || isRevoked(user, claims)) {
    await context.sessions.deleteOne({ _id: row._id })
    throw new TidelogError('INVALID_REFRESH_TOKEN')
  }
  await rememberAddress(context, user, address)
  return grant(context, user, row, next)
}

/**
 * Ends one session: its refresh token and all its access tokens.
 * @param expiresAt the expiry of the present token, which may be a host application's and outlive ours; null: never.
 */
export async function endSession (
  context: AuthContext, userId: ObjectId, sid: string, expiresAt: Date | null = new Date(0)
): Promise<void> {
  const now = context.now()
  await context.sessions.deleteOne({ _id: sid, userId })
  const until = expiresAt === null ? never : new Date(Math.max(expiresAt.getTime(), now + context.accessTtlMs))
  await context.users.updateOne({ _id: userId }, { $pull: { revokedSessions: { until: { $lte: new Date(now) } } } })
  const { matchedCount } = await context.users.updateOne(
    { _id: userId, [`revokedSessions.${revokedMax - 1}`]: { $exists: false } },
    { $push: { revokedSessions: { sid, until } }, $currentDate: { revokedAt: true } }
  )
  if (matchedCount === 0) {
    await endAllSessions(context, userId)
    return
  }
  context.directory.announceChange(userId.toHexString())
  await context.announce({ userId: userId.toHexString(), sessionId: sid })
}

/**
 * Ends all sessions of a user and refuses every token issued until now.
 * @param kept a session that continues
 */
export async function endAllSessions (context: AuthContext, userId: ObjectId, kept?: string): Promise<void> {
  const { validFrom, seen } = context.issuerClock.cut(userId.toHexString(), context.now())
  const revoked = seen.filter(sid => sid !== kept).map(sid => ({ sid, until: never }))
  const user = await context.users.findOneAndUpdate({ _id: userId }, {
    $inc: { tokenGeneration: 1 },
    $max: { tokensValidFrom: validFrom },
    $currentDate: { revokedAt: true },
    $set: { revokedSessions: revoked, ...(kept === undefined ? {} : { keptSession: kept }) },
    ...(kept === undefined ? { $unset: { keptSession: '' } } : {})
  }, { returnDocument: 'after' })
  await context.sessions.deleteMany({ userId, ...(kept === undefined ? {} : { _id: { $ne: kept } }) })
  if (kept !== undefined) {
    const generation = user?.tokenGeneration ?? 0
    await context.sessions.updateOne({ _id: kept, userId }, { $set: { generation } })
  }
  context.directory.announceChange(userId.toHexString())
  await context.announce({ userId: userId.toHexString(), ...(kept === undefined ? {} : { keptSessionId: kept }) })
}

function grant (
  context: AuthContext, user: UserRow, { _id: sid, generation = 0, pair = 0 }: SessionRow, refreshToken: string
): TokenPair {
  // A token's time of issue is in whole seconds, so its expiry is too.
  const iat = Math.floor(context.now() / 1_000)
  return {
    token: context.sign({ id: user._id.toHexString(), sid, iat, tidelog: [generation, pair] }),
    expiresAt: new Date(iat * 1_000 + context.accessTtlMs),
    refreshToken,
    user
  }
}

function nextToken (family: string): string {
  return family + randomBytes(32).toString('base64url')
}

function hash (text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
