import { ObjectId } from 'mongodb'
import { settingsAfter } from '../../src/chat/conversations/change-settings.ts'
import { commonChatId, directId, roomConversationId } from '../../src/chat/rules/conversation-id.ts'
import { hasReacted, withReaction, withoutReaction } from '../../src/chat/rules/reactions.ts'
import { deletionOf } from '../../src/chat/rules/tombstone.ts'
import { TidelogError } from '../../src/errors.ts'
import type { Mutation, CommitUnit } from '../../src/log/commit/plan.ts'
import { type Attachment, type HistoryView, selfLogId, seqOf } from '../../src/log/model/types.ts'
import type { SettingsInput } from '../../src/schemas/conversation.ts'

/** The users' requests, as mutations of the log. */

export const people = ['a', 'b', 'c'].map(letter => new ObjectId(letter.repeat(24)))
const hex = people.map(id => id.toHexString())

/** The conversations. Everybody may join the room; the direct conversation belongs to the first two users. */
export const conversations = [directId(hex[0]!, hex[1]!), roomConversationId('x'), commonChatId] as const
export const [direct, room] = conversations

interface Send {
  type: 'send'
  user: number
  place: number
  clientId: number | null
  big: boolean
  alsoRead?: boolean
}

export type Ask =
  | Send
  /** The database refuses the row of a `poison`. An `invite` joins and reads in one unit. */
  | { type: 'poison' | 'invite', user: number }
  | { type: 'edit' | 'delete', user: number, target: number }
  | { type: 'pin', target: number, user: number, on: boolean }
  | { type: 'react', user: number, target: number, emoji: string, on: boolean }
  | { type: 'membership', user: number, role: 'member' | null }
  | { type: 'read', user: number, place: number, seq: number }
  | { type: 'block', user: number, other: number, on: boolean }
  | { type: 'rename', user: number, content: number }
  | { type: 'history', user: number, history: HistoryView }
  | { type: 'purge', user: number, place: number, throughSeq: number }
  /** Clears the user's history, and hides one message from them. */
  | { type: 'clear' | 'hide', user: number, place: number, seq: number }

/** What an edit adds to a message, by the number of its call: a lost edit is noticed. */
export const markOf = (call: number): string => ` [${call}]`

/** Every third message has files: two, so that their order counts. */
function filesOf (unique: number): Attachment[] {
  if (unique % 3 !== 0) return []
  return [1, 2].map(number => (
    { _id: new ObjectId(), name: `${unique}-${number}.png`, type: 'image/png', size: unique }
  ))
}

/** The content that the database refuses. */
export const poison = 'poison'

/** So long that a few of them fill a response. */
const long = 'x'.repeat(90_000)

/** @param unique differs for each call @param sent earlier messages, stored or not */
export function unitOf (
  ask: Ask, unique: number, sent: ReadonlyArray<{ conversationId: string, id: ObjectId }>
): CommitUnit | undefined {
  const userId = people[ask.user]!
  switch (ask.type) {
    case 'send': {
      const send = sendOf(ask, unique)
      const { conversationId, row } = send
      const read: Mutation = { type: 'read', conversationId, userId: row.senderId!, seq: seqOf(1_000) }
      return { mutations: ask.alsoRead === true && conversationId === direct ? [send, read] : [send] }
    }
    case 'poison': {
      const send = sendOf({ type: 'send', user: ask.user, place: 0, clientId: null, big: false }, unique)
      return { mutations: [{ ...send, row: { ...send.row, message: poison } }] }
    }
    case 'invite': {
      const [join] = unitOf({ type: 'membership', user: ask.user, role: 'member' }, unique, sent)!.mutations
      return { mutations: [join!, { type: 'read', conversationId: room, userId, seq: seqOf(1_000) }] }
    }
    case 'membership': return {
      mutations: [{
        type: 'member',
        conversationId: room,
        userId,
        role: (member, head) => ask.role === null ? null : member?.role ?? (head === null ? 'owner' : 'member'),
        open: { kind: 'room', members: [], name: 'Room', isPrivate: true, history: 'joined' }
      }]
    }
    case 'read': return {
      mutations: [{ type: 'read', conversationId: conversations[ask.place]!, userId, seq: seqOf(ask.seq) }]
    }
    case 'block': {
      const about = hex[ask.other]!
      return ask.other === ask.user
        ? undefined
        : {
            mutations: [{
              type: 'put',
              conversationId: selfLogId(userId),
              kind: 'block',
              subject: about,
              decide: row => (row?.on ?? false) === ask.on ? null : { about, on: ask.on },
              open: { kind: 'self', members: [] }
            }]
          }
    }
    case 'rename': {
      const { content } = ask
      const about = content === 0 ? { topic: null } : { topic: `topic ${content}`, description: `about ${content}` }
      const settings = { name: `name ${content}`, ...about }
      return { mutations: [{ type: 'meta', conversationId: room, decide: () => settings }] }
    }
    case 'history': return {
      mutations: [{ type: 'meta', conversationId: room, decide: () => ({ history: ask.history }) }]
    }
    case 'purge': return {
      mutations: [{ type: 'purge', conversationId: conversations[ask.place]!, throughSeq: seqOf(ask.throughSeq) }]
    }
    case 'clear': return { mutations: [narrowingOf(ask, { clearThroughSeq: ask.seq })] }
    case 'hide': return { mutations: [narrowingOf(ask, { hideSeqs: [ask.seq] })] }
    case 'react': {
      const target = sent[ask.target % Math.max(1, sent.length)]
      return target === undefined ? undefined : { mutations: [reactOf(target, ask)] }
    }
    case 'pin': {
      const target = sent[ask.target % Math.max(1, sent.length)]
      return target === undefined ? undefined : { mutations: [pinOf(target, ask.on)] }
    }
    case 'edit':
    case 'delete': {
      const target = sent[ask.target % Math.max(1, sent.length)]
      return target === undefined
        ? undefined
        : {
            mutations: [reviseOf(target, ask.type === 'delete' ? undefined : markOf(unique))]
          }
    }
  }
}

function narrowingOf ({ user, place }: Extract<Ask, { type: 'clear' | 'hide' }>, input: SettingsInput): Mutation {
  return {
    type: 'settings',
    conversationId: conversations[place]!,
    userId: people[user]!,
    decide: (settings, head) => settingsAfter(settings, input, head, new Date(0))
  }
}

export function again ({ mutations }: CommitUnit): CommitUnit {
  return { mutations: mutations.map(change => change.type === 'append' ? { ...change, row: { ...change.row, _id: new ObjectId() } } : change) }
}

function sendOf ({ user, place, clientId, big }: Send, unique: number): Extract<Mutation, { type: 'append' }> {
  const conversationId = conversations[place]!
  const senderId = people[conversationId === direct ? user % 2 : user]!
  const attachments = filesOf(unique)
  return {
    type: 'append',
    conversationId,
    row: {
      _id: new ObjectId(),
      kind: 'message',
      senderId,
      message: big ? `${unique} ${long}` : `m${unique}`,
      ...(attachments.length === 0 ? {} : { attachments }),
      ...(conversationId === room ? { roomId: 'x' } : conversationId === direct ? { receiverId: people[1 - user % 2]! } : {}),
      ...(clientId === null
        ? { bodyHash: `unique ${unique}` }
        : {
            clientMessageId: `c${clientId}`, bodyHash: `body ${String(big)}`
          })
    },
    ...(conversationId === room
      ? { requiresMember: senderId }
      : conversationId === direct
        ? { open: { kind: 'direct', members: [{ userId: people[0]!, role: 'member' }, { userId: people[1]!, role: 'member' }] } }
        : { open: { kind: 'common', members: [] } })
  }
}

function reviseOf (
  { conversationId, id }: { conversationId: string, id: ObjectId }, mark: string | undefined
): Mutation {
  return {
    type: 'revise',
    conversationId,
    rowId: id,
    decide: row => {
      if (mark === undefined) return deletionOf(row)
      if (row.isDeleted === true) throw new TidelogError('NOT_ALLOWED')
      return { set: { message: `${row.message ?? ''}${mark}` } }
    }
  }
}

function pinOf ({ conversationId, id }: { conversationId: string, id: ObjectId }, on: boolean): Mutation {
  return {
    type: 'pin',
    conversationId,
    rowId: id,
    on,
    check: ({ isDeleted }) => {
      if (isDeleted === true && on) throw new TidelogError('NOT_ALLOWED')
    }
  }
}

function reactOf (
  { conversationId, id }: { conversationId: string, id: ObjectId }, { user, emoji, on }: Extract<Ask, { type: 'react' }>
): Mutation {
  const userId = people[conversationId === direct ? user % 2 : user]!
  return {
    type: 'revise',
    conversationId,
    rowId: id,
    decide: ({ isDeleted, reactions = [] }) => {
      if (isDeleted === true && on) throw new TidelogError('NOT_ALLOWED')
      if (hasReacted(reactions, emoji, userId) === on) return null
      return {
        set: { reactions: on ? withReaction(reactions, emoji, userId)! : withoutReaction(reactions, emoji, userId) }
      }
    }
  }
}
