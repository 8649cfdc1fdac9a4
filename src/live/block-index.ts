import type { BlockDirectory } from '../chat/directories/block-directory.ts'

/** A user who has sockets here. */
interface Blocker {
  /** Counts what changed: what was read before may be older. */
  changes: number
  /** Whom they have blocked; undefined until it has been read. */
  blocked: Set<string> | undefined
}

const nobody: ReadonlySet<string> = new Set()

/** Who of the users with sockets here has blocked whom, kept up to date from the first time that it is read. */
export class BlockIndex {
  private readonly directory: BlockDirectory
  private readonly isHere: (userId: string) => boolean
  private readonly users = new Map<string, Blocker>()
  /** By whom they blocked. */
  private readonly byBlocked = new Map<string, Set<string>>()

  /** @param isHere does this user have sockets here? */
  constructor (directory: BlockDirectory, isHere: (userId: string) => boolean) {
    this.directory = directory
    this.isHere = isHere
  }

  blockersOf (userId: string): Iterable<string> {
    return this.byBlocked.get(userId) ?? []
  }

  /** Whom a user with sockets here has blocked; nobody where that was not read. */
  blockedBy (userId: string): ReadonlySet<string> {
    return this.users.get(userId)?.blocked ?? nobody
  }

  /** Nobody here has blocked anybody. */
  get isEmpty (): boolean {
    return this.byBlocked.size === 0
  }

  /** Reads whom a user has blocked, unless it is known. */
  async load (userId: string): Promise<void> {
    const user = this.users.get(userId) ?? { changes: 0, blocked: undefined }
    // Of a user whose last socket has gone meanwhile, nothing is kept.
    if (this.isHere(userId)) this.users.set(userId, user)
    while (user.blocked === undefined) {
      const { changes } = user
      const blocked = await this.directory.get(userId)
      if (!this.isHere(userId)) return
      if (changes !== user.changes || user.blocked !== undefined) continue
      user.blocked = new Set()
      for (const other of blocked) this.set(userId, user.blocked, other, true)
    }
  }

  /** Reads it again, if it is known. */
  async reload (userId: string): Promise<void> {
    const user = this.users.get(userId)
    if (user?.blocked === undefined) return
    for (;;) {
      const { changes } = user
      this.directory.forget(userId)
      const blocked = await this.directory.get(userId)
      if (changes !== user.changes) continue
      if (this.users.get(userId) !== user) return
      for (const other of [...user.blocked]) if (!blocked.has(other)) this.set(userId, user.blocked, other, false)
      for (const other of blocked) this.set(userId, user.blocked, other, true)
      return
    }
  }

  update (userId: string, other: string, on: boolean): void {
    const user = this.users.get(userId)
    if (user === undefined) return
    user.changes++
    if (user.blocked !== undefined) this.set(userId, user.blocked, other, on)
  }

  /** The user's last socket has gone. */
  delete (userId: string): void {
    const user = this.users.get(userId)
    this.users.delete(userId)
    for (const other of [...user?.blocked ?? []]) this.set(userId, user!.blocked!, other, false)
  }

  private set (userId: string, blocked: Set<string>, other: string, on: boolean): void {
    const blockers = this.byBlocked.get(other) ?? new Set()
    if (on) {
      blocked.add(other)
      this.byBlocked.set(other, blockers.add(userId))
    } else {
      blocked.delete(other)
      blockers.delete(userId)
      if (blockers.size === 0) this.byBlocked.delete(other)
    }
  }
}
