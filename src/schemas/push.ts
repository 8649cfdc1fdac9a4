import { type Static, Type } from '@sinclair/typebox'
import { SettingsInput } from './conversation.ts'
import { ConversationSettings } from './settings.ts'
import {
  ClientMessageId, ConversationId, EditInput, MarkReadInput, Message, PinInput, ReactInput, SendInput, failureFields,
  pinned
} from './message.ts'
import { Id, Input, Time } from './primitives.ts'

/** Operations in one call. */
export const operationsMax = 100

/** Fields of every operation. Each operation is validated separately: a malformed one gets its own result. */
const OpId = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'An id that the client chooses; the result of the operation has the same id'
})
const common = <const T extends string>(type: T) => ({ opId: OpId, type: Type.Literal(type) })

/** The message of an operation: by its id, or one of your own by its client id. */
const target = {
  messageId: Type.Optional(Id),
  conversationId: Type.Optional(ConversationId),
  clientMessageId: Type.Optional(ClientMessageId)
}

const SendOperation = Input({ ...common('send'), ...SendInput.properties }, {
  description: 'Sends a message to a conversation, a user or a room'
})

const EditOperation = Input({
  ...common('edit'),
  ...target,
  content: EditInput.properties.content,
  mentions: EditInput.properties.mentions,
  expectedRev: EditInput.properties.expectedRev
}, { description: 'Changes the content of your message' })

const DeleteOperation = Input({ ...common('delete'), ...target }, { description: 'Deletes a message' })

const ReactOperation = Input({
  ...common('react'), ...target, emoji: ReactInput.properties.emoji, on: ReactInput.properties.on
}, { description: 'Sets or removes your reaction' })

const PinOperation = Input({
  ...common('pin'), ...target, on: PinInput.properties.on
}, { description: 'Pins a message in its conversation, or unpins it' })

export const MarkReadOperation = Input({
  ...common('markRead'), ...target, seq: Type.Optional(MarkReadInput.properties.seq)
}, { description: 'Moves your read position to a message, or to a seq of a conversation' })

const SettingsOperation = Input({
  ...common('settings'), conversationId: ConversationId, ...SettingsInput.properties
}, { description: 'Changes your settings of a conversation' })

/** The schema of each operation, by its `type`. */
export const pushOperations = {
  send: SendOperation,
  edit: EditOperation,
  delete: DeleteOperation,
  react: ReactOperation,
  pin: PinOperation,
  markRead: MarkReadOperation,
  settings: SettingsOperation
} as const

type SendOperation = Static<typeof SendOperation>
type EditOperation = Static<typeof EditOperation>
type DeleteOperation = Static<typeof DeleteOperation>
type ReactOperation = Static<typeof ReactOperation>
type SettingsOperation = Static<typeof SettingsOperation>
type PinOperation = Static<typeof PinOperation>
export type MarkReadOperation = Static<typeof MarkReadOperation>
export type PushOperation =
  | SendOperation | EditOperation | DeleteOperation | ReactOperation | PinOperation | MarkReadOperation
  | SettingsOperation

/**
 * The call. Only its frame is validated first, and a call with a malformed frame is refused as a whole. The fields of
 * an operation are validated with that operation, so that one which can never succeed does not block the rest of an
 * outbox.
 */
export const PushInput = Input({
  operations: Type.Array(Type.Object({
    opId: OpId,
    type: Type.String({
      maxLength: 32, description: '`send`, `edit`, `delete`, `react`, `pin`, `markRead` or `settings`'
    })
  }, {
    additionalProperties: true,
    description: 'An operation; its further fields depend on its `type`'
  }), { minItems: 1, maxItems: operationsMax })
}, { description: 'Your outbox: operations in the order in which the server applies them' })
export type PushInput = Static<typeof PushInput>

/** The result of one operation. A failure has the fields of a failed REST body. */
export const PushResult = Type.Union([
  Type.Object({
    opId: OpId,
    success: Type.Literal(true),
    message: Type.Optional(Message),
    duplicate: Type.Optional(Type.Literal(true, {
      description: 'The message was stored before, with the same clientMessageId'
    })),
    rev: Type.Optional(Type.Integer({ description: 'The rev that the change has; for `settings`: in `self`' })),
    conversationId: Type.Optional(ConversationId),
    seq: Type.Optional(Type.Integer({ description: 'For `markRead`: you have read everything up to this seq' })),
    at: Type.Optional(Type.Union([Time, Type.Null()])),
    messageIds: Type.Optional({ ...pinned.messageIds, description: 'For `pin`: the pinned messages' }),
    settings: Type.Optional(ConversationSettings)
  }),
  Type.Object({
    opId: OpId,
    ...failureFields
  })
])
export type PushResult = Static<typeof PushResult>

export const PushBody = Type.Object({
  success: Type.Literal(true),
  results: Type.Array(PushResult, { description: 'One for each operation, in the same order' })
})
