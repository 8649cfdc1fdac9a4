import { Ajv, type Options } from 'ajv'
import ajvFormats from 'ajv-formats'
import fp from 'fastify-plugin'

const options: Options = { useDefaults: true, removeAdditional: false, allErrors: false }

/**
 * Compiles route schemas. Text becomes a number or boolean only where there is nothing but text (query, params,
 * headers); a body is taken as it was sent, and nothing that was sent is dropped unseen.
 */
export default fp(async function validation (app) {
  const body = ajvFormats.default(new Ajv({ ...options, coerceTypes: false }))
  const text = ajvFormats.default(new Ajv({ ...options, coerceTypes: 'array' }))
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? body : text).compile(schema as object))
}, { name: 'validation' })
