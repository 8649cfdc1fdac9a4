import { type ObjectOptions, type TProperties, Type } from '@sinclair/typebox'

/** An object that a client sends. An unknown field is refused by name, so that a misspelt one is not lost silently. */
export const Input = <P extends TProperties>(properties: P, options: ObjectOptions = {}) =>
  Type.Object(properties, { ...options, additionalProperties: false })

/** A MongoDB ObjectId as 24 hexadecimal digits. */
export const Id = Type.String({ pattern: '^[0-9a-fA-F]{24}$', description: 'A 24-digit hexadecimal id' })
/** An ISO-8601 time in UTC with milliseconds. */
export const Time = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T', description: 'An ISO-8601 time' })

export const FailureBody = Type.Object({
  success: Type.Literal(false),
  code: Type.String(),
  message: Type.String(),
  error: Type.Optional(Type.String()),
  retryable: Type.Optional(Type.Boolean()),
  retryAfterMs: Type.Optional(Type.Integer()),
  current: Type.Optional(Type.Unknown())
}, { $id: 'Failure', description: 'The answer to every refused or failed request' })

/** The public part of a user: the only fields that another user sees. */
export const User = Type.Object({
  _id: Id,
  fullName: Type.String(),
  username: Type.String(),
  profilePicture: Type.Union([Type.String(), Type.Null()])
}, { description: 'The public part of a user' })
