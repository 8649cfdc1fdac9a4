import type { BlockDirectory } from '../chat/directories/block-directory.ts'

/** A user who has sockets on this node. */
interface Blocker {
  /** Counts changes: a read that began before the last one may be stale. */
  changes: number
  /** The users that this user has blocked; undefined until they are read. */
  blocked: Set<string> | undefined
}

const nobody: ReadonlySet<string> = new Set()

/** Which users the users with sockets here have blocked. Each user's blocks are kept current after the first read. */
export class BlockIndex {
  private readonly directory: BlockDirectory
  private readonly isHere: (userId: string) => boolean
  private readonly users = new Map<string, Blocker>()
  /** Blocking users, by the user that they have blocked. */
  private readonly byBlocked = new Map<string, Set<string>>()

  /** @param isHere does this user have sockets on this node? */
  constructor (directory: BlockDirectory, isHere: (userId: string) => boolean) {
    this.directory = directory
    this.isHere = isHere
  }

  blockersOf (userId: string): Iterable<string> {
    return this.byBlocked.get(userId) ?? []
  }

  /** The users that a user with sockets here has blocked; empty if they are not read yet. */
  blockedBy (userId: string): ReadonlySet<string> {
    return this.users.get(userId)?.blocked ?? nobody
  }

  /** Has no user here blocked anybody? */
  get isEmpty (): boolean {
    return this.byBlocked.size === 0
  }

  /** Reads a user's blocks, unless they are cached. */
  async load (userId: string): Promise<void> {
    const user = this.users.get(userId) ?? { changes: 0, blocked: undefined }
    // If the user's last socket has closed meanwhile, nothing is cached.
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

  /** Reads a user's blocks again, if they are cached. */
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

  /** Call this when the user's last socket has closed. */
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
