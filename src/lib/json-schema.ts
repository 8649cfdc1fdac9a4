import type { TSchema } from '@sinclair/typebox'
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv'
import ajvFormats from 'ajv-formats'
import { fieldError } from '../schemas/field-errors.ts'
import { formats } from '../schemas/text.ts'

const options: Options = { useDefaults: true, removeAdditional: false, allErrors: false }

/**
 * Checks payloads against schemas by the same rules on every transport: lengths count code points, no field is dropped
 * silently, and JSON values keep their type.
 */
export const jsonChecks = withFormats(new Ajv({ ...options, coerceTypes: false }))

/** For query, path and headers, which hold only text: text becomes a number or a boolean. */
export const textChecks = withFormats(new Ajv({ ...options, coerceTypes: 'array' }))

/** Describes the first error of a payload; undefined: it is valid. */
export type Check = (payload: unknown) => string | undefined

/**
 * The errors of a payload; undefined: it is valid. The first payload compiles the schema: all of them together take
 * half a second, which a start need not wait for.
 */
export function errorsBy (ajv: Ajv, schema: object): (payload: unknown) => ErrorObject[] | undefined {
  let validate: ValidateFunction | undefined
  return payload => {
    validate ??= ajv.compile(schema)
    return validate(payload) ? undefined : validate.errors ?? []
  }
}

/** @param name the word for the whole payload in a refusal */
export function checkOf (schema: TSchema, name = 'the payload'): Check {
  const errorsOf = errorsBy(jsonChecks, schema)
  return payload => {
    const errors = errorsOf(payload)
    return errors === undefined ? undefined : fieldError(errors, name).message
  }
}

function withFormats (ajv: Ajv): Ajv {
  ajvFormats.default(ajv)
  for (const [name, { test }] of Object.entries(formats)) ajv.addFormat(name, test)
  return ajv
}
