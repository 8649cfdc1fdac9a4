import type { UserRow } from '../users/user-row.ts'

/** The user names whose bearers are administrators. */
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

  /** A host application may tell names apart that differ in case: its users count as written. Of those registered here there is one of each. */
  isAdmin ({ username, usernameKey }: UserRow): boolean {
    return this.exact.has(username) || (usernameKey !== undefined && this.keys.has(usernameKey))
  }

  /** Such a name, in any case, is for those alone who prove that it is theirs. */
  reserves (username: string): boolean {
    return this.keys.has(username.toLowerCase())
  }
}
