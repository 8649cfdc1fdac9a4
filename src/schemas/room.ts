import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { ConversationId, RoomId, SendCommonInput } from './message.ts'
import { Id, Input, Time, User } from './primitives.ts'
import { Name } from './user.ts'

export const RoomParams = Type.Object({ roomId: RoomId })

/** A user in a room. `me` is the caller. */
export const RoomMemberParams = Type.Object({
  roomId: RoomId,
  userId: Type.String({ pattern: '^([0-9a-fA-F]{24}|me)$', description: 'A user\'s id, or `me`' })
})

/** A message to a room, whose id is in the path. */
export const RoomMessageInput = SendCommonInput

const RoomName = Name('The room\'s name')
const IsPrivate = Type.Boolean({ description: 'True: people need an invitation, and nobody else learns that the room exists' })
const HistoryView = Type.Union([Type.Literal('all'), Type.Literal('joined')], { description: 'The messages that members see: all, or those since they joined' })
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const CreateRoomInput = Input({ name: RoomName, isPrivate: Type.Optional(IsPrivate), history: Type.Optional(HistoryView) })
export type CreateRoomInput = Static<typeof CreateRoomInput>

export const ChangeRoomInput = Type.Partial(Input({ name: RoomName, isPrivate: IsPrivate, history: HistoryView }), { description: 'The settings to change; the others stay' })
export type ChangeRoomInput = Static<typeof ChangeRoomInput>

export const MemberRole = Type.Union([Type.Literal('owner'), Type.Literal('moderator'), Type.Literal('member')], { description: 'A room has one owner' })
export const MemberInput = Input({ role: Type.Optional(MemberRole) }, { description: 'The new role; absent: `member`' })

export const Room = Type.Object({
  roomId: RoomId,
  conversationId: ConversationId,
  name: Type.String(),
  isPrivate: Type.Boolean(),
  history: HistoryView,
  memberCount: Type.Integer(),
  role: Type.Union([...MemberRole.anyOf, Type.Null()], { description: 'Your role; null: you are not a member' }),
  createdAt: Time
}, { description: 'A room' })
export type Room = Static<typeof Room>

export const RoomMember = Type.Object({ user: User, role: MemberRole, joinedAt: Time }, { description: 'A member of a room' })
export type RoomMember = Static<typeof RoomMember>

const PageQuery = (cursor: string) => Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ pattern: cursor, description: 'The `cursor` of the previous page' }))
})
export const RoomsQuery = PageQuery('^[A-Za-z0-9_.:-]{1,64}$')
export const MembersQuery = PageQuery('^[0-9a-fA-F]{24}$')

const paged = { hasMore: Type.Boolean(), cursor: orNull(Type.String({ description: 'Send it to get the next page; null: this is the last one' })) }

export const RoomBody = Type.Object({ success: Type.Literal(true), room: Room })
export const RoomsBody = Type.Object({ success: Type.Literal(true), rooms: Type.Array(Room), ...paged })
export const MemberBody = Type.Object({ success: Type.Literal(true), member: RoomMember })
export const MembersBody = Type.Object({ success: Type.Literal(true), members: Type.Array(RoomMember), ...paged })
export const BansBody = Type.Object({ success: Type.Literal(true), users: Type.Array(User), ...paged })
export const BanParams = Type.Object({ roomId: RoomId, userId: Id })
export const DoneBody = Type.Object({ success: Type.Literal(true) })
