import type { ObjectId } from 'mongodb'

/** A user who registered here, or a host application's row. Fields that the host may lack are optional. */
export interface UserRow {
  _id: ObjectId
  fullName: string
  username: string
  /** A host application may store none. */
  email?: string
  profilePicture?: string | null
  /** argon2, or bcrypt of a host application until the first login. */
  password?: string
  /** False: deactivated; missing means active. */
  isActive?: boolean
  /** When the account was erased. Nothing else is left of it, except for what a host application keeps. */
  erasedAt?: Date
  /** Its messages are being deleted. */
  isErasing?: true
  /** How often all of the user's sessions were ended. Our own tokens carry the count of their creation. */
  tokenGeneration?: number
  /** A host application's tokens issued before this time, by the host's clock, are refused. */
  tokensValidFrom?: Date
  /** The session that was kept when the others were last ended. */
  keptSession?: string
  /** Sessions that were logged out; each is kept until its last possible token has expired. */
  revokedSessions?: Array<{ sid: string, until: Date }>
  /** When a session was last ended, by the database's clock. */
  revokedAt?: Date
  /** Marks of the addresses at which the account was last used. */
  knownAddresses?: string[]
  /** User name and e-mail address in lower case, if the account was registered here. They are unique, ignoring case. */
  usernameKey?: string
  emailKey?: string
  /** What a search finds the user by, and how these keys were made. */
  searchKeys?: string[]
  searchVersion?: number
  createdAt?: Date
  updatedAt?: Date
}
