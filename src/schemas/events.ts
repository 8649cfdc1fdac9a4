import { type Static, type TSchema, Type } from '@sinclair/typebox'
import {
  CommonChatMessage, ConversationId, DeleteInput, DirectMessage, EditInput, MarkReadInput, Message, ReactInput, RoomId, RoomMessage,
  SendCommonEvent, SendDirectEvent, SendInput, SendRoomEvent, failureFields
} from './message.ts'
import { Id, Input, Time } from './primitives.ts'
import { PushInput, PushResult } from './push.ts'
import { StateChange, SyncInput, SyncedId } from './sync.ts'

/** Whether a user is connected, and when they did something last. */
export const PresencePayload = Type.Object({
  userId: Id,
  status: Type.Union([Type.Literal('online'), Type.Literal('offline')]),
  lastActiveAt: Type.Union([Time, Type.Null()], { description: 'Null: not known' })
})
export type PresencePayload = Static<typeof PresencePayload>

interface ClientEvent {
  input: TSchema
  description: string
}

/** Every event that a client may send. Its last argument may be a callback, which gets an `Acknowledgement`. */
export const clientEvents = {
  setupUser: {
    input: Type.Unknown(),
    description: 'Says hello; answered by `userSetup`. `{live: true}` starts live delivery of all conversations, present and future, and says where they stand'
  },
  sendDirectMessage: { input: SendDirectEvent, description: 'Sends to one user; answered by `directMessage`' },
  sendMessage: { input: SendInput, description: 'Sends to one of: a conversation, a user, a room; those who follow it get the event of its kind' },
  joinCommonChat: { input: Type.Unknown(), description: 'Starts live delivery of the common chat; answered by `joinedCommonChat`' },
  leaveCommonChat: { input: Type.Unknown(), description: 'Ends live delivery of the common chat; answered by `leftCommonChat`' },
  sendCommonChatMessage: { input: SendCommonEvent, description: 'Sends to everybody; answered by `commonChatMessage` to those who joined' },
  joinRoom: { input: RoomId, description: 'Joins a room and starts live delivery; answered by `joinedRoom`' },
  leaveRoom: { input: RoomId, description: 'Ends live delivery of a room on this socket; answered by `leftRoom`' },
  sendRoomMessage: { input: SendRoomEvent, description: 'Sends to a room; answered by `roomMessage` to those who joined' },
  editMessage: { input: EditInput, description: 'Changes the content of an own message' },
  deleteMessage: { input: DeleteInput, description: 'Deletes a message; a tombstone stays' },
  react: { input: ReactInput, description: 'Sets or takes back a reaction to a message' },
  markRead: { input: MarkReadInput, description: 'Moves the own read position forward' },
  sync: { input: Type.Omit(SyncInput, ['waitMs']), description: 'What changed over all conversations; answered as `POST /api/sync`' },
  push: { input: PushInput, description: 'An offline outbox: up to 100 operations in order, with a result for each' },
  typing: { input: Input({ conversationId: ConversationId, on: Type.Boolean() }), description: 'Tells the others that you are typing, until you stop, send, disconnect, or have not said it again for 8 s' },
  subscribePresence: {
    input: Input({ userIds: Type.Array(Id, { maxItems: 200 }) }),
    description: 'Is told from now on, by `presence`, when these users come and go; those with whom the caller shares no conversation, and between whom and the caller there is a block, are left out'
  },
  refreshToken: { input: Input({ token: Type.String({ maxLength: 16_384 }) }), description: 'Goes on under a newer token of the same user' }
} as const satisfies Record<string, ClientEvent>

/** Every event that the server sends, with its payload. */
export const serverEvents = {
  userSetup: Type.Object({ success: Type.Boolean(), userId: Id }),
  directMessage: DirectMessage,
  joinedCommonChat: Type.Object({ success: Type.Boolean() }),
  leftCommonChat: Type.Object({ success: Type.Boolean() }),
  commonChatMessage: CommonChatMessage,
  joinedRoom: Type.Object({ roomId: RoomId, success: Type.Boolean() }),
  leftRoom: Type.Object({ roomId: RoomId, success: Type.Boolean() }),
  roomMessage: RoomMessage,
  messageChanged: Message,
  conversationChanged: Type.Object({ conversationId: SyncedId, rev: Type.Integer(), change: StateChange }, {
    description: 'Membership, settings or a purge; of the own log (`self`), to who asked for `live`, all its changes'
  }),
  noop: Type.Object({ conversationId: SyncedId, rev: Type.Integer() }, { description: 'A change that the receiver may not see has this rev, or one whose newer form comes with a later one' }),
  heads: Type.Record(Type.String(), Type.Integer(), { description: 'About every 25 s: the revs of the conversations that changed meanwhile' }),
  resync: Type.Object({}, { description: 'Live events were dropped because the client was too slow to take them, or the socket follows a conversation from now on whose beginning it was not told of: sync' }),
  messagesRead: Type.Object({ conversationId: ConversationId, userId: Id, seq: Type.Integer(), at: Time }),
  typing: Type.Object({ conversationId: ConversationId, userId: Id, on: Type.Boolean() }),
  presence: PresencePayload,
  tokenExpiring: Type.Object({ expiresAt: Time }),
  tokenExpired: Type.Object({ expiredAt: Time }),
  error: Type.Object({
    message: Type.String(),
    error: Type.String(),
    code: Type.String(),
    event: Type.String({ description: 'Empty: the connection as a whole; a disconnect follows' }),
    retryAfterMs: Type.Optional(Type.Integer()),
    clientMessageId: Type.Optional(Type.String())
  })
} as const satisfies Record<string, TSchema>

/** What a callback gets; failures have the fields of a failed REST body. */
export const Acknowledgement = Type.Union([
  Type.Object({
    success: Type.Literal(true),
    message: Type.Optional(Message),
    duplicate: Type.Optional(Type.Literal(true)),
    rev: Type.Optional(Type.Integer()),
    results: Type.Optional(Type.Array(PushResult, { description: '`push`: one for each operation' })),
    presence: Type.Optional(Type.Array(PresencePayload, { description: '`subscribePresence`: what they are now' }))
  }),
  Type.Object(failureFields)
])
export type Acknowledgement = Static<typeof Acknowledgement>

export type ClientEventName = keyof typeof clientEvents
export type ClientInput<E extends ClientEventName> = Static<typeof clientEvents[E]['input']>
export type ServerEventName = keyof typeof serverEvents
export type ServerPayload<E extends ServerEventName> = Static<typeof serverEvents[E]>

export type ClientToServer = { [E in ClientEventName]: (data: ClientInput<E>, acknowledge?: (answer: Acknowledgement) => void) => void }
export type ServerToClient = { [E in ServerEventName]: (payload: ServerPayload<E>) => void }
