import { type PublicUser, publicUser } from '../chat/payload.ts'
import type { UserRow } from '../chat/collections.ts'
import type { Grant } from './sessions.ts'

export function toPublicUser (row: UserRow): PublicUser {
  return publicUser(row._id.toHexString(), row)
}

export function toOwnUser (row: UserRow, isAdmin: boolean) {
  return { ...toPublicUser(row), email: row.email ?? null, isAdmin, createdAt: row.createdAt?.toISOString() ?? null }
}

export function toGrantBody ({ token, expiresAt, refreshToken, user }: Grant) {
  return { success: true as const, token, expiresAt: expiresAt.toISOString(), refreshToken, user: toPublicUser(user) }
}
