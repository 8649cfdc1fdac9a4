import { type Static, Type } from '@sinclair/typebox'
import { Input, Time, User } from './primitives.ts'
import { Email, FullName, ProfilePicture, Username } from './user.ts'

const NewPassword = Type.String({
  minLength: 8,
  maxLength: 200,
  format: 'password',
  description: '8 to 200 characters'
})
const Password = Type.String({
  minLength: 1,
  maxLength: 200,
  format: 'password',
  description: 'At most 200 characters'
})

export const RegisterInput = Input({
  fullName: FullName,
  username: Username,
  email: Email,
  password: NewPassword,
  profilePicture: Type.Optional(ProfilePicture),
  adminCode: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 100,
    description: 'For a user name of ADMIN_USERS: the code that the server printed for it when it started'
  }))
})
export type RegisterInput = Static<typeof RegisterInput>

/** The bounds are wide, because a host application's accounts may follow other rules. */
export const LoginInput = Input({
  email: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 254,
    description: 'The e-mail address of the account. Send it or `username`; if you send both, it counts'
  })),
  username: Type.Optional(Type.String({ minLength: 1, maxLength: 254, description: 'The user name of the account' })),
  password: Password
})
export type LoginInput = Static<typeof LoginInput>

export const RefreshInput = Input({
  refreshToken: Type.String({ minLength: 1, maxLength: 200, description: 'The newest refresh token of the session' })
})

export const LogoutInput = Input({
  everywhere: Type.Optional(Type.Boolean({ description: 'True ends all your sessions, not only this one' }))
})

export const PasswordInput = Input({ password: Password, newPassword: NewPassword }, {
  description: 'Your present password and the new one'
})
export type PasswordInput = Static<typeof PasswordInput>

export const ErasureInput = Input({ password: Password }, { description: 'Your password' })

export const SessionInfo = Type.Object({
  _id: Type.String(),
  createdAt: Time,
  lastUsedAt: Type.String({ ...Time, description: 'Exact to ten minutes' }),
  client: Type.Union([Type.String(), Type.Null()], {
    description: 'The User-Agent of the client, at most 200 characters; null: it sent none'
  }),
  current: Type.Boolean({ description: 'True: the session of this request' })
}, { description: 'A session of yours' })
export type SessionInfo = Static<typeof SessionInfo>

export const SessionParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) })

export const GrantBody = Type.Object({
  success: Type.Literal(true),
  token: Type.String({ description: 'The access token (a JWT) for `Authorization: Bearer` and the socket handshake' }),
  expiresAt: Time,
  refreshToken: Type.String({
    description: 'Exchange it for the next pair of tokens at `POST /api/auth/refresh`. You can repeat that until you ' +
      'use the new pair, because an answer may be lost'
  }),
  user: User
}, { description: 'The tokens of a session' })
