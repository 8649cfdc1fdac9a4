import { formats } from './text.ts'

/** A validation error; the fields of Ajv's errors that are used here. */
interface SchemaError {
  keyword: string
  instancePath: string
  params: Record<string, unknown>
  message?: string
}

/** Longest part of a field's name, in characters, that an error text repeats. The sender chose the name. */
const nameCharsMax = 100

/**
 * The error of an invalid payload. It names the field in words that a form can show: `password must NOT have fewer than
 * 8 characters`.
 */
export function fieldError (errors: readonly SchemaError[], whole: string): Error {
  const [first] = errors
  if (first === undefined) return new Error(`${whole} is not valid`)
  const path = first.instancePath.slice(1).replaceAll('/', '.').slice(0, nameCharsMax)
  const inside = (name: unknown) => `${path === '' ? '' : `${path}.`}${String(name).slice(0, nameCharsMax)}`
  const { missingProperty, additionalProperty, format } = first.params
  if (first.keyword === 'required') return new Error(`${inside(missingProperty)} is required`)
  if (first.keyword === 'additionalProperties') return new Error(`${inside(additionalProperty)} is not a known field`)
  const text = first.keyword === 'pattern'
    ? 'has characters or a form that are not allowed'
    : first.keyword === 'format' ? formats[String(format)]?.refusal ?? 'is not valid' : first.message ?? 'is not valid'
  return new Error(`${path === '' ? whole : path} ${text}`)
}
