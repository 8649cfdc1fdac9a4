import type { Collection } from 'mongodb'
import type { FilesContext } from '../files/context.ts'
import type { UserDirectory } from '../users/user-directory.ts'
import type { AdminNames } from './admin-names.ts'
import type { HashQueue } from './hash-queue.ts'
import type { Revocation } from './identity.ts'
import type { IssuerClock } from './issuer-clock.ts'
import type { SessionRow } from './session-rows.ts'
import type { UserRow } from '../users/user-row.ts'

/** Counts failed logins; `plugins/rate-limit.ts` has it. */
export interface FailureLimiter {
  /** Refuses like `consume`, without counting. */
  check: (key: string) => void
  consume: (key: string) => void
  /** Takes one count back. */
  giveBack: (key: string) => void
}

export interface FailureLimiters {
  /** By account and address. */
  login: FailureLimiter
  /** By address, over all accounts. */
  loginAddress: FailureLimiter
  /** By account, over all addresses that it does not know. */
  loginAccount: FailureLimiter
}

/** The claims of our own tokens. */
export interface OwnClaims {
  id: string
  sid: string
  iat: number
  /** The user's token generation, and the session's pair. */
  tidelog: [generation: number, pair: number]
}

/** The context of the operations on accounts. The plugin `accounts` makes it once. */
export interface AuthContext {
  users: Collection<UserRow>
  sessions: Collection<SessionRow>
  files: FilesContext
  directory: UserDirectory
  adminCodes: Collection<AdminCodeRow>
  admins: AdminNames
  hashing: HashQueue
  failures: FailureLimiters
  issuerClock: IssuerClock
  /** Whom a user finds by name: everybody, or those with whom they share a conversation. */
  userSearch: 'all' | 'shared'
  accessTtlMs: number
  refreshTtlMs: number
  /** Milliseconds since 1970. */
  now: () => number
  /** Signs an access token. */
  sign: (payload: OwnClaims) => string
  /** Announces in this process that tokens were revoked; resolves when no request with them is pending here. */
  announce: (revoked: Revocation) => Promise<void>
}

/** The origin of a request. */
export interface Caller {
  address: string
  /** The client's name for itself. */
  client: string | null
}

/** The printed codes for an administrator's name that has no account yet. */
export interface AdminCodeRow {
  /** The name in lower case. */
  _id: string
  /** SHA-256 of each code, the newest last. */
  hashes: string[]
}
