import { type Static, Type } from '@sinclair/typebox'
import { Time } from './primitives.ts'

export const Notify = Type.Union([Type.Literal('all'), Type.Literal('mentions'), Type.Literal('none')], {
  description: 'Which messages to be notified of'
})

/** A user's own settings of a conversation. */
export const ConversationSettings = Type.Object({
  mutedUntil: Type.Union([Time, Type.Null()]),
  notify: Notify,
  archived: Type.Boolean(),
  pinnedAt: Type.Union([Time, Type.Null()], { description: 'Null: not pinned' }),
  markedUnread: Type.Boolean(),
  clearedSeq: Type.Integer({ description: 'The server does not show you messages up to this seq; 0: none is cleared' }),
  hiddenSeqs: Type.Array(Type.Integer(), { description: 'Nor are these' })
}, { description: 'Your settings of a conversation; other members do not see them' })
export type ConversationSettings = Static<typeof ConversationSettings>
