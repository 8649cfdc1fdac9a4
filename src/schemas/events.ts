import { type Static, type TSchema, Type } from '@sinclair/typebox'
import {
  CommonChatMessage, ConversationId, DeleteInput, DirectMessage, EditInput, MarkReadInput, Message, ReactInput, RoomId,
  RoomMessage,
  SendCommonEvent, SendDirectEvent, SendInput, SendRoomEvent, failureFields
} from './message.ts'
import { Id, Input, Time, User } from './primitives.ts'
import { PushInput, PushResult } from './push.ts'
import { StateChange, SyncInput, SyncedId } from './sync.ts'

/** Whether a user is connected, and when they were last active. */
export const PresencePayload = Type.Object({
  userId: Id,
  status: Type.Union([Type.Literal('online'), Type.Literal('offline')]),
  lastActiveAt: Type.Union([Time, Type.Null()], { description: 'Null: unknown' })
})
export type PresencePayload = Static<typeof PresencePayload>

/** Conversations that one socket can name. */
const liveNamesMax = 1_000

interface ClientEvent {
  input: TSchema
  description: string
}

/** Every event that a client may send. If its last argument is a callback, it gets an `Acknowledgement`. */
export const clientEvents = {
  setupUser: {
    input: Type.Object({
      live: Type.Optional(Type.Boolean({ description: 'True: this socket gets your conversations live' })),
      only: Type.Optional(Type.Array(ConversationId, {
        maxItems: liveNamesMax, description: 'With `live`: the conversations that this socket gets; absent: all'
      }))
    }),
    description: 'Registers this socket; answered by `userSetup`. With `{live: true}` it gets all your conversations ' +
      'live, present and future ones, or `only` those that you name; the answer has their last revs'
  },
  sendDirectMessage: {
    input: SendDirectEvent,
    description: 'Sends a message to one user; answered by `directMessage`'
  },
  sendMessage: {
    input: SendInput,
    description: 'Sends a message to a conversation, a user or a room; subscribers get the event of its kind'
  },
  joinCommonChat: {
    input: Type.Unknown(),
    description: 'Subscribes this socket to the common chat; answered by `joinedCommonChat`'
  },
  leaveCommonChat: {
    input: Type.Unknown(),
    description: 'Unsubscribes this socket from the common chat; answered by `leftCommonChat`'
  },
  sendCommonChatMessage: {
    input: SendCommonEvent,
    description: 'Sends a message to the common chat; subscribers get `commonChatMessage`'
  },
  joinRoom: {
    input: RoomId,
    description: 'Makes you a member of a room and subscribes this socket to it; answered by `joinedRoom`'
  },
  leaveRoom: {
    input: RoomId,
    description: 'Unsubscribes this socket from a room; answered by `leftRoom`. You stay a member'
  },
  sendRoomMessage: { input: SendRoomEvent, description: 'Sends a message to a room; subscribers get `roomMessage`' },
  editMessage: { input: EditInput, description: 'Changes the content of your message' },
  deleteMessage: { input: DeleteInput, description: 'Deletes a message; a tombstone stays' },
  react: { input: ReactInput, description: 'Sets or removes your reaction to a message' },
  markRead: { input: MarkReadInput, description: 'Moves your read position forward' },
  sync: {
    input: Type.Omit(SyncInput, ['waitMs']),
    description: 'Answers what changed in all your conversations, as `POST /api/sync` does'
  },
  push: {
    input: PushInput,
    description: 'Applies up to 100 operations of your outbox in order; answers with a result for each'
  },
  typing: {
    input: Input({ conversationId: ConversationId, on: Type.Boolean() }),
    description: 'Tells the others that you are typing, until you stop, send or disconnect, or for 8 seconds after ' +
      'you last sent it'
  },
  subscribePresence: {
    input: Input({
      userIds: Type.Array(Id, { maxItems: 200, description: 'All users whose presence this socket wants' })
    }),
    description: 'Subscribes this socket to the presence of these users (at most 200) and of no others, and returns ' +
      'it. A repeated call replaces the list. Users with whom you share no conversation are left out, as are those ' +
      'whom you blocked or who blocked you'
  },
  refreshToken: {
    input: Input({ token: Type.String({ maxLength: 16_384 }) }),
    description: 'Continues this socket with a newer token of the same user'
  }
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
    description: 'A membership, settings, pins or a purge of a conversation; for `live` sockets also every change of ' +
      'your self log (`self`)'
  }),
  noop: Type.Object({ conversationId: SyncedId, rev: Type.Integer() }, {
    description: 'Fills the rev of a change that you may not see, or that has moved to a later rev'
  }),
  heads: Type.Record(Type.String(), Type.Integer(), {
    description: 'About every 25 seconds: the revs of the conversations that changed meanwhile'
  }),
  resync: Type.Object({}, {
    description: 'The server did not send some events: you read too slowly, or it subscribed you to a conversation ' +
      'later than you joined it. Sync everything'
  }),
  messagesRead: Type.Object({ conversationId: ConversationId, userId: Id, seq: Type.Integer(), at: Time }),
  typing: Type.Object({ conversationId: ConversationId, userId: Id, on: Type.Boolean() }),
  presence: PresencePayload,
  userChanged: Type.Object({ user: User }, {
    description: 'A user with whom you share a direct conversation, or a room of at most 200 members, changed name ' +
      'or picture'
  }),
  tokenExpiring: Type.Object({ expiresAt: Time }),
  tokenExpired: Type.Object({ expiredAt: Time }),
  goingAway: Type.Object({ reconnectAfterMs: Type.Integer() }, {
    description: 'This server shuts down: reconnect after this many milliseconds, and another one takes you'
  }),
  error: Type.Object({
    message: Type.String(),
    error: Type.String(),
    code: Type.String(),
    event: Type.String({
      description: 'The client event that failed. Empty: the connection itself failed, and a disconnect follows'
    }),
    retryAfterMs: Type.Optional(Type.Integer()),
    clientMessageId: Type.Optional(Type.String())
  })
} as const satisfies Record<string, TSchema>

/** The argument of a callback. A failure has the fields of a failed REST body. */
export const Acknowledgement = Type.Union([
  Type.Object({
    success: Type.Literal(true),
    message: Type.Optional(Message),
    duplicate: Type.Optional(Type.Literal(true)),
    rev: Type.Optional(Type.Integer()),
    results: Type.Optional(Type.Array(PushResult, { description: 'For `push`: one for each operation' })),
    presence: Type.Optional(Type.Array(PresencePayload, {
      description: 'For `subscribePresence`: the presence of each user now'
    }))
  }),
  Type.Object(failureFields)
])
export type Acknowledgement = Static<typeof Acknowledgement>

export type ClientEventName = keyof typeof clientEvents
export type ClientInput<E extends ClientEventName> = Static<typeof clientEvents[E]['input']>
export type ServerEventName = keyof typeof serverEvents
export type ServerPayload<E extends ServerEventName> = Static<typeof serverEvents[E]>

export type ClientToServer = {
  [E in ClientEventName]: (data: ClientInput<E>, acknowledge?: (answer: Acknowledgement) => void) => void
}
export type ServerToClient = { [E in ServerEventName]: (payload: ServerPayload<E>) => void }
