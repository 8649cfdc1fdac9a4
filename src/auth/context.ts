import type { Collection } from 'mongodb'
import type { UserDirectory } from '../users/user-directory.ts'
import type { AdminNames } from './admin-names.ts'
import type { HashQueue } from './hash-queue.ts'
import type { Revocation } from './identity.ts'
import type { IssuerClock } from './issuer-clock.ts'
import type { SessionRow } from './session-rows.ts'
import type { UserRow } from '../users/user-row.ts'

/** Counts failed logins; `plugins/rate-limit.ts` has it. */
export interface FailureLimiter {
  check: (key: string) => void
  consume: (key: string) => void
  /** Takes one count back. */
  giveBack: (key: string) => void
}

interface FailureLimiters {
  /** By account and address. */
  login: FailureLimiter
  /** By address, over all accounts. */
  loginAddress: FailureLimiter
  /** By account, over all addresses that it does not know. */
  loginAccount: FailureLimiter
}

/** What a token of ours says. */
export interface OwnClaims {
  id: string
  sid: string
  iat: number
  /** The user's generation of tokens, and the session's pair. */
  tidelog: [generation: number, pair: number]
}

/** What the operations on accounts work on; made once by the plugin `accounts`. */
export interface AuthContext {
  users: Collection<UserRow>
  sessions: Collection<SessionRow>
  directory: UserDirectory
  adminCodes: Collection<AdminCodeRow>
  admins: AdminNames
  hashing: HashQueue
  failures: FailureLimiters
  issuerClock: IssuerClock
  accessTtlMs: number
  refreshTtlMs: number
  /** Milliseconds since 1970. */
  now: () => number
  /** Signs an access token. */
  sign: (payload: OwnClaims) => string
  /** Tells this process that tokens were revoked; resolves when nothing that was asked with them is under way here. */
  announce: (revoked: Revocation) => Promise<void>
}

/** Where a request comes from. */
export interface Caller {
  address: string
  /** What the client calls itself. */
  client: string | null
}

/** The codes that were printed for an administrator's name that nobody bears yet. */
export interface AdminCodeRow {
  /** The name in lower case. */
  _id: string
  /** SHA-256 of each code, the newest last. */
  hashes: string[]
}
