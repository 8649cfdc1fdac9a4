import { LRUCache } from 'lru-cache'
import type { Filter } from 'mongodb'
import { indexNames } from '../../log/model/collections.ts'
import type { ConversationLog } from '../../log/conversation-log.ts'
import { type Head, type Member, type Rev, memberKey, revOf, selfLogId, stateRowId } from '../../log/model/types.ts'
import type { Identity } from '../../users/identity.ts'
import { commonChatId } from '../rules/conversation-id.ts'

/** The fields of a membership that decide what its own user sees. */
export type OwnMember = Pick<
  Member, 'conversationId' | 'role' | 'joinedSeq' | 'joinedRev' | 'joinedAt' | 'readSeq' | 'clearedSeq' | 'hiddenSeqs'
>

/** All memberships of a user. */
export interface Memberships {
  /** They include every change of the self log up to this rev. */
  rev: Rev
  byConversation: ReadonlyMap<string, OwnMember>
  /** How far the user has read the common chat, which has no members. */
  commonReadSeq: number
}

const none: Memberships = { rev: revOf(0), byConversation: new Map(), commonReadSeq: 0 }

/** Memberships that are cached, over all users. */
const membershipsMax = 400_000

const ownFields = {
  conversationId: 1, role: 1, joinedSeq: 1, joinedRev: 1, joinedAt: 1, readSeq: 1, clearedSeq: 1, hiddenSeqs: 1
} as const

/**
 * Each user's memberships, cached until the head of their self log shows a change. Each change of a membership is in
 * the self log, which names its conversation, so only the changed memberships are read again. A membership that has not
 * changed stays the same object.
 */
export class MembershipDirectory {
  private readonly cache = new LRUCache<string, Memberships>({
    maxSize: membershipsMax, sizeCalculation: ({ byConversation }) => byConversation.size + 1
  })

  private readonly log: ConversationLog

  constructor (log: ConversationLog) {
    this.log = log
  }

  /** The memberships as of the self log's head or later. */
  async of (identity: Pick<Identity, 'id' | 'userId'>, selfHead: Head | undefined): Promise<Memberships> {
    if (selfHead === undefined) return none
    const before = this.cache.get(identity.userId)
    if (before !== undefined && before.rev >= selfHead.headRev) return before
    const now = before === undefined
      ? await this.readAll(identity, selfHead)
      : await this.readChanges(identity, selfHead, before)
    this.cache.set(identity.userId, now)
    return now
  }

  private async readAll ({ id, userId }: Pick<Identity, 'id' | 'userId'>, { headRev }: Head): Promise<Memberships> {
    const [members, readSeq] = await Promise.all([
      this.read({ userId: id }, indexNames.byMember), commonReadSeq(this.log, userId)
    ])
    const byConversation = new Map(members.map(member => [member.conversationId, member]))
    return { rev: headRev, byConversation, commonReadSeq: readSeq }
  }

  private async readChanges (
    { id, userId }: Pick<Identity, 'id' | 'userId'>, { headRev }: Head, before: Memberships
  ): Promise<Memberships> {
    const changes = await this.log.collections.rows
      .find({ conversationId: selfLogId(userId), rev: { $gt: before.rev } })
      .project<{ rev: Rev, kind: string, about?: string, readSeq?: number }>({ rev: 1, kind: 1, about: 1, readSeq: 1 })
      .sort({ rev: 1 }).hint(indexNames.byRev).toArray()
    const changed = changes.flatMap(({ kind, about }) => kind === 'block' || about === undefined ? [] : [about])
    const members = changed.length === 0
      ? []
      : await this.read({ _id: { $in: changed.map(conversationId => memberKey(conversationId, id)) } }, '_id_')
    const now = new Map(before.byConversation)
    for (const conversationId of changed) now.delete(conversationId)
    for (const member of members) now.set(member.conversationId, member)
    const common = changes.find(({ kind, about }) => kind === 'read' && about === commonChatId)
    // Members that are read after these changes include all of them.
    return {
      rev: revOf(Math.max(headRev, changes.at(-1)?.rev ?? 0)),
      byConversation: now,
      commonReadSeq: common?.readSeq ?? before.commonReadSeq
    }
  }

  private async read (filter: Filter<Member>, hint: string): Promise<OwnMember[]> {
    return await this.log.collections.members.find(filter)
      .project<OwnMember>({ _id: 0, ...ownFields }).hint(hint).toArray()
  }
}

/** How far a user has read the common chat. Only their self log holds it. */
export async function commonReadSeq ({ collections }: ConversationLog, userId: string): Promise<number> {
  const _id = stateRowId(selfLogId(userId), 'read', commonChatId)
  return (await collections.rows.findOne({ _id }, { projection: { readSeq: 1 } }))?.readSeq ?? 0
}
