import type { UserRow } from '../users/user-row.ts'

/** The user names of administrators. */
export class AdminNames {
  readonly names: readonly string[]
  private readonly exact: ReadonlySet<string>
  private readonly keys: ReadonlySet<string>

  /** @param text ADMIN_USERS */
  constructor (text: string) {
    this.names = text.split(',').map(name => name.trim()).filter(name => name !== '')
    this.exact = new Set(this.names)
    this.keys = new Set(this.names.map(name => name.toLowerCase()))
  }

  /**
   * A host application may have names that differ only in case, so its users must match exactly. Names registered here
   * are unique, ignoring case.
   */
  isAdmin ({ username, usernameKey }: UserRow): boolean {
    return this.exact.has(username) || (usernameKey !== undefined && this.keys.has(usernameKey))
  }

  /** Is this name reserved, in any case, for users who prove that it is theirs? */
  reserves (username: string): boolean {
    return this.keys.has(username.toLowerCase())
  }
}
