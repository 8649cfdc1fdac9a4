import type { Collection } from 'mongodb'
import type { UserDirectory } from '../users/user-directory.ts'
import type { Revocation } from './identity.ts'
import type { SessionRow } from './session-rows.ts'
import type { UserRow } from '../users/user-row.ts'

/** What the operations on accounts work on; made once by the plugin `accounts`. */
export interface AuthContext {
  users: Collection<UserRow>
  sessions: Collection<SessionRow>
  directory: UserDirectory
  /** User names whose bearers are administrators, exactly as they are written. */
  admins: ReadonlySet<string>
  accessTtlMs: number
  refreshTtlMs: number
  /** Milliseconds since 1970. */
  now: () => number
  /** Signs an access token. */
  sign: (payload: { id: string, sid: string, iat: number }) => string
  /** Tells this process that tokens were revoked; resolves when nothing that was asked with them is under way here. */
  announce: (revoked: Revocation) => Promise<void>
}
