import { isDeepStrictEqual } from 'node:util'
import type { ObjectId } from 'mongodb'
import {
  type Head, type LogRow, type Member, type OwnSettings, memberKey, selfLogId, seqOf, settingsOf, stateRowId
} from '../../src/log/model/types.ts'
import { commonChatId } from '../../src/chat/rules/conversation-id.ts'
import type { Message } from '../../src/schemas/message.ts'
import type { SyncBody } from '../../src/schemas/sync.ts'
import type { State } from '../helpers/follower.ts'
import type { Books } from './books.ts'
import type { FakeMongo } from './fake-mongo.ts'
import { conversations, direct, people, room } from './units.ts'

/** A period in which a user was a member of the room, in commits and in revs of the room. */
interface Stay {
  from: number
  until: number
  joinedRev: number
  /** The first rev after the membership. */
  leftAt: number
  /** Messages up to this seq are older than the membership. */
  joinedSeq: number
  /** The time of leaving, in milliseconds since 1970. */
  leftTime: number
}

/** The stored rows, and from them what each user may and must get: computed without the code under test. */
export class Truth {
  private readonly books: Books
  private readonly mongo: FakeMongo

  /**
   * Does the node know every committed block? One of several nodes, or a node after a fault, learns of some within
   * seconds.
   */
  private readonly knowsBlocks: boolean

  constructor (books: Books, mongo: FakeMongo, { knowsBlocks }: { knowsBlocks: boolean }) {
    this.books = books
    this.mongo = mongo
    this.knowsBlocks = knowsBlocks
  }

  /**
   * I4, I6: why this user must not have got a part of a response, requested after `since` and made by now. Undefined:
   * it is right.
   */
  wrongIn ({ conversations }: SyncBody, userId: string, since: number): string | undefined {
    for (const { conversationId, changes, reads } of conversations) {
      if (this.knowsBlocks && conversationId === room && reads.some(read => this.areApart(userId, read.userId, since))) return 'a read position is told across a block'
      if (conversationId === room && this.stays(userId).every(({ until }) => until <= since)) return 'I4: a stranger is told of a room'
      for (const change of changes) {
        const wrong = change.kind === 'message' ? this.wrongMessage(change.message, userId, since) : undefined
        if (wrong !== undefined) return wrong
        if (conversationId === room && change.kind !== 'meta' && !this.stays(userId).some(({ until, leftAt }) => until > since && change.rev < leftAt)) return 'I4: a change of a room from after a removal'
      }
    }
    return undefined
  }

  /** I4: is this a live event of the room that this user must not get, whatever the node knows? */
  isWithheld (event: string, payload: unknown, userId: string): boolean {
    const { conversationId, rev, at, userId: about } = payload as { conversationId?: string, rev?: number, at?: string, userId?: string }
    const head = (payload as Record<string, number>)[room]
    const last = this.stays(userId).at(-1)
    if (event === 'heads') return head !== undefined && (last === undefined || head >= last.leftAt)
    if (conversationId !== room) return false
    // The reader's own devices get their reads, even if they joined, read and left in one commit.
    if (event === 'messagesRead') return about !== userId && (last === undefined || Date.parse(at!) >= last.leftTime)
    return !this.stays(userId).some(({ joinedRev, leftAt }) => rev! >= joinedRev && rev! < leftAt)
  }

  /**
   * Why this user must not have got this live event, because of a block, a clearing or a hiding committed before it.
   * Undefined: it is right.
   */
  wrongLive (event: string, payload: unknown, userId: string): string | undefined {
    const { conversationId, rev, seq, at, userId: about, reactions } = payload as {
      conversationId: string, rev?: number, seq?: number, at?: string, userId?: string, reactions?: Message['reactions']
    }
    const commit = rev === undefined ? undefined : this.books.history(conversationId)[rev - 1]?.commit
    const isMessage = event !== 'messagesRead' && seq !== undefined && commit !== undefined
    // With a membership its clearing goes. The events before the removal may still be on their way.
    const hasLeft = conversationId === room &&
      this.stays(userId).some(({ until }) => until > commit! && until < Infinity)
    if (isMessage && !hasLeft && this.hasHidden(userId, conversationId, seq, commit - 1)) {
      return 'I6: a message that the user cleared or hid is told live'
    }
    if (!this.knowsBlocks || conversationId === direct) return undefined
    if (event === 'messagesRead') {
      const read = this.books.history(selfLogId(about!)).find(({ row }) => row.kind === 'read' && row.about === conversationId && row.readAt!.getTime() === Date.parse(at!))
      return read !== undefined && this.areApart(userId, about!, read.commit - 1) ? 'a read position is told live across a block' : undefined
    }
    return commit !== undefined && this.tellsReactionOfBlocked(reactions, userId, commit - 1) ? 'a reaction of somebody blocked is told live' : undefined
  }

  /** Has one of the two blocked the other, from that commit until now? */
  private areApart (userId: string, other: string, by: number): boolean {
    return this.hasBlocked(userId, other, by) || this.hasBlocked(other, userId, by)
  }

  private hasBlocked (userId: string, other: string, by: number): boolean {
    return this.blocks(userId).some(({ about, from, until }) => about === other && from <= by && until === Infinity)
  }

  private tellsReactionOfBlocked (reactions: Message['reactions'] = [], userId: string, by: number): boolean {
    return reactions.some(({ count, userIds }) => count !== userIds.length || userIds.some(reactor => this.hasBlocked(userId, reactor, by)))
  }

  /** Is one of these files, which nobody needs any more, in a message that is there? */
  wrongRelease (files: readonly ObjectId[]): string | undefined {
    const isThere = ({ conversationId, seq = seqOf(0), attachments = [] }: LogRow) => {
      const head = this.mongo.read('conversations', conversationId) as unknown as Head | null
      return seq > (head?.purgedSeq ?? 0) && attachments.some(({ _id }) => files.some(file => file.equals(_id)))
    }
    const isWrong = (this.mongo.all('log') as unknown as LogRow[]).some(isThere)
    return isWrong ? 'I6: a file is released while its message is there' : undefined
  }

  private wrongMessage (message: Message, userId: string, since: number): string | undefined {
    const { conversationId, rev, seq } = message
    const given = this.books.history(conversationId)
    const row = given[rev - 1]?.row
    if (row === undefined || row._id.toHexString() !== message._id || row.seq !== seq || (row.message ?? '') !== message.message || (row.isDeleted === true) !== message.isDeleted || !hasFilesOf(message, row)) return 'a message is not what was stored under its rev'
    if (given.some(later => later.row.rev > rev && later.row._id.equals(row._id) && later.commit <= since)) return 'I6: an old form of a message is told'
    if (seq <= (this.lastBefore(conversationId, since, 'purge')?.throughSeq ?? 0)) return 'I6: a purged message is told'
    if (this.hasHidden(userId, conversationId, seq, since)) return 'I6: a message that the user cleared or hid is told'
    if (conversationId === direct) return undefined
    if (this.tellsReactionOfBlocked(message.reactions, userId, since)) return 'a reaction of somebody blocked is told'
    if (this.hasBlocked(userId, row.senderId!.toHexString(), since)) return 'a message of somebody blocked is told'
    if (conversationId !== room) return undefined
    const shows = this.historyShows(since)
    return this.stays(userId).some(({ until, leftAt, joinedSeq }) => until > since && rev < leftAt && (shows || seq > joinedSeq)) ? undefined : 'I4: a message from before or after a membership'
  }

  /** Had the user cleared or hidden this message by that commit? */
  private hasHidden (userId: string, conversationId: string, seq: number, by: number): boolean {
    const settings = this.books.history(selfLogId(userId))
      .filter(({ row, commit }) => row.kind === 'settings' && row.about === conversationId && commit <= by).at(-1)?.row
    return isHiddenBy(settings, seq)
  }

  /** Has the room shown all of its history at some time since that commit? */
  private historyShows (since: number): boolean {
    const settings = this.books.history(room).filter(({ row }) => row.kind === 'meta')
    const start = settings.filter(({ commit }) => commit <= since).at(-1)?.row.history ?? 'joined'
    return start === 'all' || settings.some(({ row, commit }) => commit > since && row.history === 'all')
  }

  private memberOf (conversationId: string, userId: string): Member | null {
    return this.mongo.read('members', memberKey(conversationId, people.find(id => id.toHexString() === userId)!)) as unknown as Member | null
  }

  private lastBefore (conversationId: string, commit: number, kind: LogRow['kind']): LogRow | undefined {
    return this.books.history(conversationId).filter(given => given.row.kind === kind && given.commit <= commit).at(-1)?.row
  }

  private stays (userId: string): Stay[] {
    const stays: Stay[] = []
    let seq = 0
    for (const { row, isNew, commit } of this.books.history(room)) {
      if (isNew && row.seq !== undefined) seq = row.seq
      if (row.kind !== 'membership' || row.userId!.toHexString() !== userId) continue
      const open = stays.at(-1)
      // Roles do not change in this model: a row from member to member means that the user left and came back in one
      // commit.
      if (open?.until === Infinity) Object.assign(open, { until: commit, leftAt: row.rev, leftTime: row.updatedAt.getTime() })
      if (row.role !== null) stays.push({ from: commit, until: Infinity, joinedRev: row.rev, leftAt: Infinity, joinedSeq: seq, leftTime: Infinity })
    }
    return stays
  }

  private blocks (userId: string): Array<{ about: string, from: number, until: number }> {
    const blocks: Array<{ about: string, from: number, until: number }> = []
    for (const { row, commit } of this.books.history(selfLogId(userId))) {
      if (row.kind !== 'block') continue
      if (row.on === true) blocks.push({ about: row.about!, from: commit, until: Infinity })
      else for (const block of blocks) if (block.about === row.about) block.until = Math.min(block.until, commit)
    }
    return blocks
  }

  /**
   * I3 during a history: the stored changes that a client lacks, as of the start of its request. A message may be
   * missing while a commit changes it, if that commit came after `told` and nobody has been told of it.
   */
  lackedBy (state: State, userId: string, since: number, told: number): string | undefined {
    for (const conversationId of conversations) {
      if (conversationId === direct && !direct.includes(userId)) continue
      if (conversationId === room && !this.stays(userId).some(({ from, until }) => from <= since && until === Infinity)) continue
      const forms = new Map<string, LogRow>()
      for (const { row, commit } of this.books.history(conversationId)) if (row.kind === 'message' && commit <= since) forms.set(row._id.toHexString(), row)
      const { messages: held, rev = 0, purgedSeq = 0, fromSeq = 1 } = state.conversations[conversationId] ?? {}
      // Only a purge that the client was told of, or began after, deletes its messages.
      const gone = Math.max(purgedSeq, ...this.books.history(conversationId).slice(0, rev).map(({ row }) => row.throughSeq ?? 0), this.lastBefore(conversationId, since, 'purge')?.throughSeq ?? 0)
      for (const [id, row] of forms) {
        if (row.seq! <= gone || row.seq! < fromSeq || !this.isCertainlyShown(row, userId) || this.books.history(conversationId).some(later => later.commit > told && later.row._id.equals(row._id))) continue
        if (held === undefined || (held[id]?.rev ?? 0) < row.rev) return 'I3: a client was told that there is no more, and lacks a change'
      }
    }
    return undefined
  }

  /** Is the row shown, whatever happened lately? */
  private isCertainlyShown (row: LogRow, userId: string): boolean {
    const { conversationId, seq } = row
    if (this.hasHidden(userId, conversationId, seq!, Infinity)) return false
    if (conversationId === direct) return true
    if (this.blocks(userId).some(({ about }) => about === row.senderId!.toHexString())) return false
    return conversationId === commonChatId || seq! > (this.memberOf(conversationId, userId)?.joinedSeq ?? Infinity)
  }

  /** I3 at rest: how a client's state differs from the stored rows. */
  differing (state: State, userId: string, { withReads }: { withReads: boolean }): string | undefined {
    const self = this.mongo.all('log').filter(row => row['conversationId'] === selfLogId(userId)) as unknown as LogRow[]
    const blocked = self.flatMap(row => row.kind === 'block' && row.on === true ? [row.about!] : []).sort()
    if (JSON.stringify([...state.blocked].sort()) !== JSON.stringify(blocked)) return 'blocks'
    const roles = Object.fromEntries(self.flatMap(row => row.kind === 'membership' && row.role != null ? [[row.about!, row.role]] : []))
    if (JSON.stringify(sorted(state.memberships)) !== JSON.stringify(sorted(roles))) return 'memberships'
    for (const conversationId of conversations) {
      const head = this.mongo.read('conversations', conversationId) as unknown as Head | null
      const held = state.conversations[conversationId]
      const member = this.memberOf(conversationId, userId)
      if (head === null || (member === null && conversationId !== commonChatId)) {
        if (held !== undefined && (Object.keys(held.messages).length > 0 || held.meta !== undefined)) return `${conversationId}: held, and not there`
        continue
      }
      if (held === undefined) return `${conversationId}: not held`
      const own = self.find(row => row.kind === 'settings' && row.about === conversationId)
      const { clearedSeq, hiddenSeqs } = state.settings[conversationId] ?? { clearedSeq: 0, hiddenSeqs: [] }
      const isSame = clearedSeq === (own?.clearedSeq ?? 0) && String(hiddenSeqs) === String(own?.hiddenSeqs ?? [])
      if (!isSame) return `${conversationId}: own settings`
      const differs = this.differingIn(held, head, userId, member, blocked, withReads)
      if (differs !== undefined) return `${conversationId}: ${differs}`
    }
    return undefined
  }

  private differingIn (held: State['conversations'][string], head: Head, viewer: string, member: Member | null, blocked: string[], withReads: boolean): string | undefined {
    const fromSeq = Math.max(head.purgedSeq ?? 0, head.history === 'joined' ? member?.joinedSeq ?? 0 : 0)
    const hides = head.kind === 'direct' ? [] : blocked
    const rows = (this.mongo.all('log') as unknown as LogRow[])
      .filter(row => row.conversationId === head._id && row.kind === 'message' && row.seq! > fromSeq && !hides.includes(row.senderId!.toHexString()))
      .filter(row => !isHiddenBy(member ?? undefined, row.seq!))
    for (const row of rows) {
      const message = held.messages[row._id.toHexString()]
      if (message === undefined && row.seq! < held.fromSeq) continue
      if (message === undefined) return `message ${row.seq} is missing`
      if (message.rev !== row.rev || message.seq !== row.seq || message.message !== (row.message ?? '') || message.isDeleted !== (row.isDeleted === true) || !hasFilesOf(message, row)) return `message ${row.seq} differs`
    }
    const shown = new Set(rows.map(row => row._id.toHexString()))
    if (Object.keys(held.messages).some(id => !shown.has(id))) return 'there are more messages'
    const pins = this.mongo.read('log', stateRowId(head._id, 'pins', '').toHexString()) as unknown as LogRow | null
    const pinned = pins?.pins?.map(({ messageId }) => messageId.toHexString()) ?? []
    if (held.pins?.rev !== pins?.rev || String(held.pins?.messageIds ?? []) !== String(pinned)) return 'pins differ'
    const stored = this.mongo.all('log') as unknown as LogRow[]
    const isThere = (id: string) => stored.some(({ _id, isDeleted, seq }) =>
      _id.toHexString() === id && isDeleted !== true && seq! > (head.purgedSeq ?? 0))
    if (!pinned.every(isThere)) return 'what is not there is pinned'
    const { rev, ...settings } = held.meta ?? {}
    const isSame = rev === head.metaRev && isDeepStrictEqual(settings, { ...settingsOf(head) })
    if (head.kind === 'room' && head.metaRev !== undefined && !isSame) return 'settings differ'
    const members = (this.mongo.all('members') as unknown as Member[]).filter(({ conversationId }) => conversationId === head._id)
    const roleOf = (id: string) => members.find(({ userId }) => userId.toHexString() === id)?.role ?? null
    if (Object.entries(held.members).some(([id, role]) => roleOf(id) !== role)) return 'members differ'
    const isUntold = ({ userId, readSeq, readAt }: Member) => readAt !== undefined && (held.reads[userId.toHexString()] ?? 0) < readSeq
    // A read during a block is delivered with the next read after the block, if there is one.
    const everBlocked = (id: string, other: string) => this.blocks(id).some(({ about }) => about === other)
    const wereApart = (id: string) => head.kind === 'room' && (everBlocked(viewer, id) || everBlocked(id, viewer))
    return withReads && members.some(member => isUntold(member) && !wereApart(member.userId.toHexString())) ? 'read positions differ' : undefined
  }
}

function hasFilesOf (message: Message, row: LogRow): boolean {
  const files = row.attachments?.map(({ _id, ...about }) => ({ _id: _id.toHexString(), ...about }))
  return isDeepStrictEqual(message.attachments, files)
}

function isHiddenBy (settings: OwnSettings | undefined, seq: number): boolean {
  return seq <= (settings?.clearedSeq ?? 0) || settings?.hiddenSeqs?.includes(seqOf(seq)) === true
}

function sorted (object: Record<string, string>): Array<[string, string]> {
  return Object.entries(object).sort(([a], [b]) => a < b ? -1 : 1)
}
