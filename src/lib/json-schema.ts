import type { TSchema } from '@sinclair/typebox'
import { Ajv, type Options, type ValidateFunction } from 'ajv'
import ajvFormats from 'ajv-formats'
import { fieldError } from '../schemas/field-errors.ts'
import { formats } from '../schemas/text.ts'

const options: Options = { useDefaults: true, removeAdditional: false, allErrors: false }

/**
 * Checks payloads against schemas, by the same rules on every transport: lengths count code points, nothing is dropped
 * unseen, and what is sent as JSON keeps its type.
 */
export const jsonChecks = withFormats(new Ajv({ ...options, coerceTypes: false }))

/** Where there is nothing but text (query, path, headers), text becomes a number or a boolean. */
export const textChecks = withFormats(new Ajv({ ...options, coerceTypes: 'array' }))

/** The first thing that is wrong with a payload, in words; undefined: nothing. */
export type Check = (payload: unknown) => string | undefined

/** @param name what the payload as a whole is called in a refusal */
export function checkOf (schema: TSchema, name = 'the payload'): Check {
  const validate: ValidateFunction = jsonChecks.compile(schema)
  return payload => validate(payload) ? undefined : fieldError(validate.errors ?? [], name).message
}

function withFormats (ajv: Ajv): Ajv {
  ajvFormats.default(ajv)
  for (const [name, { test }] of Object.entries(formats)) ajv.addFormat(name, test)
  return ajv
}
