import { type Static, Type } from '@sinclair/typebox'
import { Input, Time, User } from './primitives.ts'
import { Email, FullName, ProfilePicture, Username } from './user.ts'

export const RegisterInput = Input({
  fullName: FullName,
  username: Username,
  email: Email,
  password: Type.String({ minLength: 8, maxLength: 200, format: 'password', description: '8 to 200 characters' }),
  profilePicture: Type.Optional(ProfilePicture)
})
export type RegisterInput = Static<typeof RegisterInput>

/** The bounds are wide: a host application's accounts may follow other rules. */
export const LoginInput = Input({
  email: Type.Optional(Type.String({ minLength: 1, maxLength: 254, description: 'The e-mail address of the account; it or `username` is required, and it counts if both are there' })),
  username: Type.Optional(Type.String({ minLength: 1, maxLength: 254, description: 'The user name of the account' })),
  password: Type.String({ minLength: 1, maxLength: 200, format: 'password', description: 'At most 200 characters' })
})
export type LoginInput = Static<typeof LoginInput>

export const RefreshInput = Input({
  refreshToken: Type.String({ minLength: 1, maxLength: 200, description: 'The newest refresh token of the session; it is good once' })
})

export const LogoutInput = Input({
  everywhere: Type.Optional(Type.Boolean({ description: 'True ends every session of the user, not only this one' }))
})

export const GrantBody = Type.Object({
  success: Type.Literal(true),
  token: Type.String({ description: 'The access token (a JWT) for `Authorization: Bearer` and the socket handshake' }),
  expiresAt: Time,
  refreshToken: Type.String({ description: 'Exchanges for the next pair of tokens at `POST /api/auth/refresh`, once' }),
  user: User
}, { description: 'The tokens of a session' })
