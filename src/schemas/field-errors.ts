import type { TSchema } from '@sinclair/typebox'
import type { TypeCheck } from '@sinclair/typebox/compiler'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'

/** The error of a refused request, which names the field in words that a form can show: `password must NOT have fewer than 8 characters`. */
export function fieldError (errors: FastifySchemaValidationError[], httpPart: string): Error {
  const [first] = errors
  if (first === undefined) return new Error(`The ${httpPart} is not valid`)
  const field = first.instancePath.slice(1).replaceAll('/', '.')
  const { missingProperty } = first.params as { missingProperty?: string }
  if (first.keyword === 'required' && missingProperty !== undefined) return new Error(`${field === '' ? '' : `${field}.`}${missingProperty} is required`)
  const text = first.keyword === 'pattern' ? 'has characters or a form that are not allowed' : first.keyword === 'format' ? 'is not valid' : first.message ?? 'is not valid'
  return new Error(`${field === '' ? httpPart : field} ${text}`)
}

/** Names the first thing that is wrong with a payload, without repeating what was sent. */
export function describeError (check: TypeCheck<TSchema>, data: unknown): string {
  const first = check.Errors(data).First()
  if (first === undefined) return 'The payload is not valid'
  const field = first.path.slice(1).replaceAll('/', '.')
  return `${field === '' ? 'the payload' : field.slice(0, 100)}: ${first.message}`
}
