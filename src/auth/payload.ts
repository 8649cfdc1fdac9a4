import type { TokenPair } from './sessions.ts'
import type { UserRow } from '../users/user-row.ts'
import { type PublicUser, publicUser } from '../users/public-user.ts'

export function toPublicUser (row: UserRow): PublicUser {
  return publicUser(row._id.toHexString(), row)
}

export function toOwnUser (row: UserRow, isAdmin: boolean) {
  return { ...toPublicUser(row), email: row.email ?? null, isAdmin, createdAt: row.createdAt?.toISOString() ?? null }
}

export function tokenPairBody ({ token, expiresAt, refreshToken, user }: TokenPair) {
  return { success: true as const, token, expiresAt: expiresAt.toISOString(), refreshToken, user: toPublicUser(user) }
}
