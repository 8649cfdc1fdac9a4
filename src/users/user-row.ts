import type { ObjectId } from 'mongodb'

/** A user, as registered here or as the host application keeps them (fields that it lacks are optional). */
export interface UserRow {
  _id: ObjectId
  fullName: string
  username: string
  /** A host application may keep none. */
  email?: string
  profilePicture?: string | null
  /** argon2, or bcrypt of a host application until the first login. */
  password?: string
  /** False: deactivated; missing counts as active. */
  isActive?: boolean
  /** How often all of the user's sessions were ended: tokens of ours name the count at which they were made. */
  tokenGeneration?: number
  /** A host application's tokens issued before this, by its own clock, are refused. */
  tokensValidFrom?: Date
  /** The session that went on when the others were ended last. */
  keptSession?: string
  /** Sessions that were logged out, until the last token that they may have has expired. */
  revokedSessions?: Array<{ sid: string, until: Date }>
  /** Marks of the addresses at which the account was used last. */
  knownAddresses?: string[]
  /** The user name and the e-mail address in lower case, where the account was registered here: each is there once. */
  usernameKey?: string
  emailKey?: string
  /** What a search finds the user by: the user name and the words of the full name, in lower case. */
  searchKeys?: string[]
  createdAt?: Date
  updatedAt?: Date
}
