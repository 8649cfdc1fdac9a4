import { LRUCache } from 'lru-cache'
import { upTo } from '../../lib/up-to.ts'
import type { Head, OwnSettings, Rev } from '../../log/model/types.ts'
import type { ListedConversation } from '../../schemas/conversation.ts'
import type { UserDirectory } from '../../users/user-directory.ts'
import type { UserRow } from '../../users/user-row.ts'
import type { ListingRow } from './collections.ts'
import type { ListingDirectory } from './listing-directory.ts'
import type { OwnMember } from './membership-directory.ts'

/** Descriptions that are cached, over all users: each takes some kilobytes. */
const descriptionsMax = 20_000

/** A conversation as a list shows it. */
export class Description {
  readonly listed: ListedConversation
  private bytes: Buffer | undefined

  constructor (listed: ListedConversation) {
    this.listed = listed
  }

  /** The same as JSON in UTF-8. */
  get json (): Buffer {
    this.bytes ??= Buffer.from(JSON.stringify(this.listed))
    return this.bytes
  }
}

/** The state that a description is made of, beside the blocks, which the head of the user's self log shows. */
interface DescriptionBasis {
  head: Head
  member: OwnMember | undefined
  readSeq: number
  settings: OwnSettings | undefined
}

/** The rows that a description names, as they were before it was made. */
export interface NamedRows {
  users: Map<string, UserRow>
  listings: Map<string, ListingRow | null>
}

interface Entry extends NamedRows {
  headRev: Rev
  clock: number
  readSeq: number
  settings: OwnSettings | undefined
  blockRev: Rev | undefined
  viewRev: Rev | undefined
  description: Description
}

/**
 * Caches how a list shows each conversation to a user. An entry is valid until something that it is made of changes:
 * the conversation's head, the membership, the settings, the blocks, or a user or listing that it names.
 */
export class DescriptionCache {
  /** By membership: it stays the same object until it changes. The common chat has none: by user. */
  private readonly cache = new LRUCache<OwnMember | string, Entry>(upTo(descriptionsMax))
  private readonly users: UserDirectory
  private readonly listings: ListingDirectory

  constructor (users: UserDirectory, listings: ListingDirectory) {
    this.users = users
    this.listings = listings
  }

  /** The descriptions that are still valid, in the order of `all`. It may read users and listings again. */
  async get (
    userId: string, selfHead: Head | undefined, all: readonly DescriptionBasis[]
  ): Promise<Array<Description | undefined>> {
    const entries = all.map(basis => this.find(userId, selfHead, basis))
    const reads: Array<Promise<unknown>> = []
    for (const entry of entries) if (entry !== undefined) this.readMissing(entry, reads)
    if (reads.length > 0) await Promise.all(reads)
    return entries.map(entry => entry !== undefined && this.areCurrent(entry) ? entry.description : undefined)
  }

  set (
    userId: string, selfHead: Head | undefined, { head, member, readSeq, settings }: DescriptionBasis, named: NamedRows,
    description: Description
  ): void {
    const { headRev } = head
    const { blockRev, viewRev } = selfHead ?? {}
    this.cache.set(member ?? userId, {
      headRev, clock: head.clock.getTime(), readSeq, settings, blockRev, viewRev, ...named, description
    })
  }

  private find (
    userId: string, selfHead: Head | undefined, { head, member, readSeq, settings }: DescriptionBasis
  ): Entry | undefined {
    const entry = this.cache.get(member ?? userId)
    // Settings too stay the same object until they change.
    return entry !== undefined &&
      entry.headRev === head.headRev && entry.clock === head.clock.getTime() && entry.readSeq === readSeq &&
      entry.settings === settings && entry.blockRev === selfHead?.blockRev && entry.viewRev === selfHead?.viewRev
      ? entry
      : undefined
  }

  /** Begins to read the named rows that are in no cache. */
  private readMissing ({ users, listings }: NamedRows, reads: Array<Promise<unknown>>): void {
    for (const id of users.keys()) if (this.users.peek(id) === undefined) reads.push(this.users.get(id))
    for (const id of listings.keys()) if (this.listings.peek(id) === undefined) reads.push(this.listings.get(id))
  }

  /** Are the named rows as they were? Those that were read again without a change replace the older ones. */
  private areCurrent ({ users, listings }: NamedRows): boolean {
    for (const [id, row] of users) {
      const now = this.users.peek(id)
      if (now === row) continue
      if (now === undefined || !isSameUser(now, row)) return false
      users.set(id, now)
    }
    for (const [id, row] of listings) {
      const now = this.listings.peek(id)
      if (now !== row && (now === undefined || now?.title !== row?.title)) return false
    }
    return true
  }
}

/** Do others see the same of both? */
function isSameUser (a: UserRow, b: UserRow): boolean {
  return a.fullName === b.fullName && a.username === b.username && a.profilePicture === b.profilePicture
}
