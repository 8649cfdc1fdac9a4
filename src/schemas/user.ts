import { type Static, Type } from '@sinclair/typebox'
import { Id, Input, Time, User } from './primitives.ts'

/** One line that people read as a name. */
export const Name = (whose: string) => Type.String({
  minLength: 1, maxLength: 100, format: 'name', description: `${whose}: 1 to 100 characters, at least one of them visible, and none that changes the direction of the text`
})

export const FullName = Name('The name that others see')
export const Username = Type.String({
  minLength: 3,
  maxLength: 32,
  pattern: '^[A-Za-z0-9_.-]+$',
  description: '3 to 32 letters (A to Z), digits, `_`, `.` or `-`; unique, ignoring case'
})
export const Email = Type.String({
  maxLength: 254,
  format: 'email',
  description: 'An e-mail address, stored in lower case; only you see it'
})
export const ProfilePicture = Type.Union(
  [Type.String({ maxLength: 2_000, format: 'picture', pattern: '^[hH][tT][tT][pP][sS]?://[^"<>\\\\]+$' }), Type.Null()],
  { description: 'The http or https address of a picture, of at most 2,000 characters, or null' }
)

/** A user's own account, as they see it. */
export const OwnUser = Type.Object({
  ...User.properties,
  email: Type.Union([Type.String(), Type.Null()], { description: 'Null: the host application has none' }),
  isAdmin: Type.Boolean(),
  createdAt: Type.Union([Time, Type.Null()])
}, { description: 'Your own account' })

/** An account as an administrator sees it. */
export const AdminUser = Type.Object({ ...User.properties, isActive: Type.Boolean() }, {
  description: 'An account, for administrators'
})

export const UserParams = Type.Object({ id: Id })

export const ProfileInput = Input({
  fullName: Type.Optional(FullName),
  username: Type.Optional(Username),
  profilePicture: Type.Optional(ProfilePicture)
}, { description: 'The fields to change; the others stay' })
export type ProfileInput = Static<typeof ProfileInput>

export const AvatarInput = Input({
  fileId: Type.Union([Id, Type.Null()], {
    description: 'A file that you uploaded: PNG, JPEG, GIF, WebP or AVIF, of at most 5 MiB and 4,096 pixels on a ' +
      'side; null removes the picture'
  })
})

export const AvatarParams = Type.Object({
  picture: Type.String({
    pattern: '^[0-9a-f]{24}-[A-Za-z0-9_-]{22}$', description: 'The last part of a picture\'s address'
  })
})

export const AdminUserInput = Input({
  isActive: Type.Optional(Type.Boolean({
    description: 'False closes the account, and ends its tokens, sessions and sockets at once'
  }))
})
export type AdminUserInput = Static<typeof AdminUserInput>

export const UserSearch = Type.Object({
  search: Type.Optional(Type.String({
    maxLength: 100,
    format: 'plain',
    description: 'Beginnings of words of the names, ignoring case and accents; after an @ the beginning of a user ' +
      'name. Absent: all users'
  })),
  ids: Type.Optional(Type.String({
    pattern: '^[0-9a-fA-F]{24}(,[0-9a-fA-F]{24}){0,99}$',
    description: 'Up to 100 ids, separated by commas: only these users'
  })),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  cursor: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{24}$', description: 'The `cursor` of the previous page' }))
})
export type UserSearch = Static<typeof UserSearch>

export const UserPage = Type.Object({
  success: Type.Literal(true),
  users: Type.Array(User),
  hasMore: Type.Boolean(),
  cursor: Type.Union([Type.String(), Type.Null()], {
    description: 'Send it to get the next page; null: this is the last one'
  })
})
