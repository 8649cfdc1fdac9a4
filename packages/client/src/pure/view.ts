import type {
  Attachment, ConversationSettings, Mentions, Message, MessageStatus, MessageType, Reaction, Summary
} from '../values.ts'
import { filesOf, isAbout } from './outbox.ts'
import {
  type ConversationRecord, type PendingFile, type Person,
  type Row, type SelfRecord, type State, type StoredOperation, noSettings,
  otherUserOf, readSeqOf
} from './state.ts'

/** What is shown: the server's rows with the changes of the outbox. None of it is stored. */

export interface ViewContext {
  userId: string
  reads: ConversationRecord['reads']
}

const noMentions: Mentions = { userIds: [] }

/** A message of the server with the changes that wait for it; operations of other messages change nothing of it. */
export function showRow (row: Row, operations: readonly StoredOperation[], { userId, reads }: ViewContext): Message {
  const isOwn = row.senderId === userId
  const mentions = row.mentions ?? noMentions
  const shown: Message = {
    key: keyOf(row, userId),
    id: row.id,
    seq: row.seq,
    rev: row.rev,
    conversationId: row.conversationId,
    clientMessageId: row.clientMessageId,
    senderId: row.senderId,
    isOwn,
    text: row.text,
    type: row.type,
    createdAt: row.createdAt,
    editedAt: row.editedAt,
    isDeleted: row.isDeleted,
    replyTo: row.replyTo,
    reactions: row.reactions.map(reaction => ({ ...reaction, mine: reaction.userIds.includes(userId) })),
    attachments: row.attachments ?? [],
    system: row.system,
    forwarded: row.forwarded,
    mentions,
    mentionsMe: !isOwn && (mentions.all === true || mentions.userIds.includes(userId)),
    readBy: isOwn ? Object.entries(reads).flatMap(([id, { seq }]) => seq >= row.seq ? [id] : []) : [],
    status: 'sent'
  }
  const about = operations.filter(operation => isAbout(operation, targetsOf(row, userId)))
  return about.reduce((message, operation) => changed(message, operation, shown, userId), shown)
}

function changed (message: Message, { work, state, error, createdAt }: StoredOperation, stored: Message, userId: string): Message {
  if (message.isDeleted && state !== 'failed') return message
  const status = statusOf(state, error, stored)
  switch (work.type) {
    case 'edit': return { ...message, ...status, text: work.text, editedAt: createdAt, mentions: work.mentions ?? message.mentions }
    // What could not be deleted is still there.
    case 'delete': return state === 'failed' ? { ...message, ...status } : { ...message, ...status, isDeleted: true, text: '', reactions: [], attachments: [] }
    case 'react': return state === 'failed' ? message : { ...message, reactions: reacted(message.reactions, work.emoji, work.on, userId) }
    case 'send':
    case 'pin':
    case 'markRead':
    case 'settings': return message
  }
}

function statusOf (state: MessageStatus, error: StoredOperation['error'], current: Message): Pick<Message, 'status' | 'error'> {
  return error === undefined || state !== 'failed' ? { status: state } : { status: state, error: error.code === 'CONFLICT' ? { ...error, current } : error }
}

function reacted (reactions: readonly Reaction[], emoji: string, on: boolean, userId: string): readonly Reaction[] {
  const held = reactions.find(reaction => reaction.emoji === emoji)
  if ((held?.mine ?? false) === on) return reactions
  if (held === undefined) return [...reactions, { emoji, count: 1, userIds: [userId], mine: true }]
  const userIds = on ? [...held.userIds, userId] : held.userIds.filter(id => id !== userId)
  const count = held.count + (on ? 1 : -1)
  return reactions.flatMap(reaction => reaction !== held ? reaction : count === 0 ? [] : { ...held, count, userIds, mine: on })
}

function shownFile ({ key, fileId, isUploaded, ...about }: PendingFile): Attachment {
  return { id: key, ...about, isPending: true }
}

/** As the server chooses it for a message without a type. */
function typeFor (attachments: readonly Attachment[]): MessageType {
  if (attachments.length === 0) return 'text'
  const [family, ...others] = new Set(attachments.map(({ type = '' }) => type.split('/')[0]))
  return others.length === 0 && (family === 'image' || family === 'video' || family === 'audio') ? family : 'file'
}

/** A message that is not sent yet; operations of other messages change nothing of it. */
export function showSend (
  operation: StoredOperation, operations: readonly StoredOperation[], userId: string
): Message | undefined {
  const { work, conversationId, createdAt, state, error } = operation
  if (work.type !== 'send') return undefined
  const attachments = [...work.attachments ?? [], ...filesOf(operation).map(shownFile)]
  const message: Message = {
    key: work.clientMessageId,
    rev: 0,
    conversationId,
    clientMessageId: work.clientMessageId,
    senderId: userId,
    isOwn: true,
    text: work.text,
    type: work.messageType ?? typeFor(attachments),
    createdAt,
    isDeleted: false,
    replyTo: work.replyTo,
    reactions: [],
    attachments,
    forwarded: work.forwarded,
    mentions: work.mentions ?? noMentions,
    mentionsMe: false,
    readBy: [],
    status: state,
    error
  }
  // Changes of a message that may have been sent already.
  const about = operations.filter(other => other !== operation && isAbout(other, work))
  const shown = about.reduce((shown, other) => changed(shown, other, message, userId), message)
  return shown.isDeleted ? undefined : { ...shown, status: state, error }
}

/** Your own messages keep the id that you gave them; nobody else's id can take its place. */
export function keyOf (row: Row, userId: string): string {
  return row.senderId === userId && row.clientMessageId !== undefined ? row.clientMessageId : row.id
}

/**
 * The messages of a window, in order. The same objects come again while nothing changes them, so that a list draws only
 * what is new. One viewer for each window.
 */
export class Viewer {
  private shown = new Map<string, { row: Row | StoredOperation, about: readonly StoredOperation[], readBy: string, message: Message | undefined }>()

  show (rows: readonly Row[], operations: readonly StoredOperation[], hasEnd: boolean, context: ViewContext): Message[] {
    const next: typeof this.shown = new Map()
    const messages: Message[] = []
    const changes = operations.filter(({ work }) => work.type === 'edit' || work.type === 'delete' || work.type === 'react')
    const sent = new Set<string>()
    for (const row of rows) {
      const key = keyOf(row, context.userId)
      const about = changes.length === 0 ? changes : changes.filter(operation => isAbout(operation, targetsOf(row, context.userId)))
      const readBy = row.senderId === context.userId ? Object.entries(context.reads).filter(([, { seq }]) => seq >= row.seq).map(([id]) => id).join() : ''
      sent.add(key)
      this.keep(next, key, row, about, readBy, () => showRow(row, about, context), messages)
    }
    for (const operation of hasEnd ? operations : []) {
      const { work } = operation
      if (work.type !== 'send' || sent.has(work.clientMessageId)) continue
      const about = changes.filter(other => isAbout(other, work))
      this.keep(next, work.clientMessageId, operation, about, '', () => showSend(operation, about, context.userId), messages)
    }
    this.shown = next
    return messages
  }

  private keep (
    next: typeof this.shown, key: string, row: Row | StoredOperation, about: readonly StoredOperation[], readBy: string, show: () => Message | undefined, messages: Message[]
  ): void {
    const held = this.shown.get(key)
    const isSame = held?.row === row && held.readBy === readBy && held.about.length === about.length && about.every((operation, index) => held.about[index] === operation)
    const message = isSame ? held.message : show()
    next.set(key, { row, about, readBy, message })
    if (message !== undefined) messages.push(message)
  }
}

function targetsOf ({ id, senderId, clientMessageId }: Row, userId: string) {
  return { messageId: id, clientMessageId: senderId === userId ? clientMessageId : undefined }
}

export interface SummaryContext extends ViewContext {
  state: State
  users: ReadonlyMap<string, Person>
  operations: readonly StoredOperation[]
  draft: string | undefined
  /** The newest message that is shown. */
  last: Row | undefined
}

/** Your settings of a conversation, with what waits for the server. */
export function settingsOf (
  { settings }: SelfRecord, id: string, operations: readonly StoredOperation[]
): ConversationSettings {
  return operations.reduce<ConversationSettings>((settings, { work, createdAt, state }) => {
    if (work.type !== 'settings' || state === 'failed') return settings
    const { mutedUntil, notify, archived, pinned, markedUnread, clearThroughSeq, hideSeqs } = work.settings
    return {
      mutedUntil: mutedUntil === undefined ? settings.mutedUntil : mutedUntil,
      notify: notify ?? settings.notify,
      archived: archived ?? settings.archived,
      pinnedAt: pinned === undefined ? settings.pinnedAt : pinned ? createdAt : null,
      markedUnread: markedUnread ?? settings.markedUnread,
      clearedSeq: Math.max(settings.clearedSeq, clearThroughSeq ?? 0),
      hiddenSeqs: hideSeqs === undefined ? settings.hiddenSeqs : [...settings.hiddenSeqs, ...hideSeqs]
    }
  }, settings[id] ?? noSettings)
}

/** In rooms and the common chat. */
export function isBlocked ({ blocked }: SelfRecord, { conversationId, senderId }: Row): boolean {
  return blocked.includes(senderId) && !conversationId.startsWith('dm_')
}

/**
 * Which messages of a conversation the user wants to see: none of those that they cleared or deleted for themselves,
 * whether the server knows of it or not.
 */
export function shownBy (
  self: SelfRecord, id: string, operations: readonly StoredOperation[]
): (row: Row) => boolean {
  const { clearedSeq, hiddenSeqs } = settingsOf(self, id, operations)
  const hidden = new Set(hiddenSeqs)
  return row => row.seq > clearedSeq && !hidden.has(row.seq) && !isBlocked(self, row)
}

/** A conversation as the list shows it. */
export function showSummary (
  record: ConversationRecord, { state, last, users, operations, draft, userId, reads }: SummaryContext
): Summary {
  const { id, kind, name, isPrivate, topic, description, picture, activityAt, unreadCount, mentionCount } = record
  const other = otherUserOf(id, userId)
  const sends = operations.filter(({ work }) => work.type === 'send')
  const newest = sends.at(-1)
  const pending = newest === undefined ? undefined : showSend(newest, [], userId)
  const settings = settingsOf(state.self, id, operations)
  const shown = last === undefined ? undefined : showRow(last, operations, { userId, reads })
  const isCleared = settings.clearedSeq >= Math.max(record.top, 1)
  return {
    id,
    kind,
    title: kind === 'direct' ? users.get(other!)?.fullName ?? '' : kind === 'room' ? name ?? '' : 'Common chat',
    userId: other,
    roomId: kind === 'room' ? id.slice('room_'.length) : undefined,
    role: state.self.roles[id],
    isPrivate,
    topic,
    description,
    picture,
    postRole: record.postRole,
    slowModeS: record.slowModeS,
    lastMessage: pending ?? shown,
    lastActivityAt: Math.max(activityAt, pending?.createdAt ?? 0),
    unreadCount: isCleared ? 0 : unreadCount,
    mentionCount: isCleared ? 0 : mentionCount,
    readSeq: readSeqOf(state, id),
    draft,
    settings
  }
}

/** Pinned ones first, then by last activity. */
export function compareSummaries (a: Summary, b: Summary): number {
  const [pinnedA, pinnedB] = [a.settings.pinnedAt ?? 0, b.settings.pinnedAt ?? 0]
  return pinnedB - pinnedA || b.lastActivityAt - a.lastActivityAt || (a.id < b.id ? -1 : 1)
}
