import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { ConversationId, RoomId, SendCommonInput } from './message.ts'
import { Id, Input, Time, User } from './primitives.ts'
import { Name, ProfilePicture } from './user.ts'

export const RoomParams = Type.Object({ roomId: RoomId })

/** A user in a room. `me` is the caller. */
export const RoomMemberParams = Type.Object({
  roomId: RoomId,
  userId: Type.String({ pattern: '^([0-9a-fA-F]{24}|me)$', description: 'A user\'s id, or `me`' })
})

/** A message to a room, whose id is in the path. */
export const RoomMessageInput = SendCommonInput

const RoomName = Name('The room\'s name')
const IsPrivate = Type.Boolean({
  description: 'True: people need an invitation, and nobody else learns that the room exists'
})
const HistoryView = Type.Union([Type.Literal('all'), Type.Literal('joined')], {
  description: 'The messages that members see: all, or those since they joined'
})
const Topic = Type.Union([
  Type.String({ minLength: 1, maxLength: 200, format: 'name' }), Type.Null()
], { description: 'What the room is about, in one line of at most 200 characters; null: none' })
const Description = Type.Union([
  Type.String({ minLength: 1, maxLength: 1_000, format: 'paragraphs' }), Type.Null()
], { description: 'More about the room, in at most 1,000 characters; null: none' })
/** A picture of the web, or a file of the caller's. */
const Picture = Type.Union([
  ...ProfilePicture.anyOf,
  Input({ fileId: Id }, {
    description: 'A file that you uploaded; everybody can then read it at the address in `picture`'
  })
], { description: 'The http or https address of a picture, a file that you uploaded, or null' })
const PostRole = Type.Union([Type.Literal('member'), Type.Literal('moderator')], {
  description: 'Who may send messages: every member, or only the owner and moderators'
})
const SlowModeS = Type.Integer({
  minimum: 0,
  maximum: 21_600,
  description: 'Seconds that a plain member waits between two messages, at most 6 hours; 0: they do not wait'
})
const SystemMessages = Type.Boolean({
  description: 'True: the server announces in the room who joins or leaves, new roles, a new name, and pins'
})
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const CreateRoomInput = Input({
  name: RoomName,
  isPrivate: Type.Optional(IsPrivate),
  history: Type.Optional(HistoryView),
  topic: Type.Optional(Topic),
  description: Type.Optional(Description),
  picture: Type.Optional(Picture),
  postRole: Type.Optional(PostRole),
  slowModeS: Type.Optional(SlowModeS),
  systemMessages: Type.Optional(SystemMessages)
})
export type CreateRoomInput = Static<typeof CreateRoomInput>

export const ChangeRoomInput = Type.Partial(Input({
  name: RoomName,
  isPrivate: IsPrivate,
  history: HistoryView,
  topic: Topic,
  description: Description,
  picture: Picture,
  postRole: PostRole,
  slowModeS: SlowModeS,
  systemMessages: SystemMessages
}), { description: 'The settings to change; the others stay. Null removes one' })
export type ChangeRoomInput = Static<typeof ChangeRoomInput>

export const MemberRole = Type.Union([Type.Literal('owner'), Type.Literal('moderator'), Type.Literal('member')], {
  description: 'A room has one owner'
})
export const MemberInput = Input({ role: Type.Optional(MemberRole) }, { description: 'The new role; absent: `member`' })

export const Room = Type.Object({
  roomId: RoomId,
  conversationId: ConversationId,
  name: Type.String(),
  isPrivate: Type.Boolean(),
  history: HistoryView,
  topic: orNull(Type.String()),
  description: orNull(Type.String()),
  picture: orNull(Type.String({ description: 'The address of a picture, or its path on this server' })),
  postRole: PostRole,
  slowModeS: SlowModeS,
  systemMessages: SystemMessages,
  memberCount: Type.Integer(),
  role: Type.Union([...MemberRole.anyOf, Type.Null()], { description: 'Your role; null: you are not a member' }),
  createdAt: Time
}, { description: 'A room' })
export type Room = Static<typeof Room>

export const RoomMember = Type.Object({ user: User, role: MemberRole, joinedAt: Time }, {
  description: 'A member of a room'
})
export type RoomMember = Static<typeof RoomMember>

export const RoomsQuery = Type.Object({
  search: Type.Optional(Type.String({
    maxLength: 100, format: 'plain', description: 'A part of the name, ignoring case and accents; absent: all rooms'
  })),
  order: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('members'), Type.Literal('name')], {
    description: 'The room with the last message first, that with the most members, or by name; absent: by id'
  })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({
    pattern: '^[A-Za-z0-9_.:-]{1,2000}$', description: 'The `cursor` of the previous page, which had the same `order`'
  }))
})
export const MembersQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{24}$', description: 'The `cursor` of the previous page' }))
})

const paged = {
  hasMore: Type.Boolean(),
  cursor: orNull(Type.String({ description: 'Send it to get the next page; null: this is the last one' }))
}

export const RoomBody = Type.Object({ success: Type.Literal(true), room: Room })
export const RoomsBody = Type.Object({
  success: Type.Literal(true),
  rooms: Type.Array(Room),
  ...paged,
  hasMore: Type.Boolean({ description: 'True: ask again with `cursor`, even if a search has found nothing yet' })
})
export const MemberBody = Type.Object({ success: Type.Literal(true), member: RoomMember })
export const MembersBody = Type.Object({ success: Type.Literal(true), members: Type.Array(RoomMember), ...paged })
export const BansBody = Type.Object({ success: Type.Literal(true), users: Type.Array(User), ...paged })
export const BanParams = Type.Object({ roomId: RoomId, userId: Id })
export const DoneBody = Type.Object({ success: Type.Literal(true) })
