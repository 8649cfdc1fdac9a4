import { Ajv, type Options } from 'ajv'
import ajvFormats from 'ajv-formats'
import fp from 'fastify-plugin'
import { fieldError } from '../src/schemas/field-errors.ts'

const options: Options = { useDefaults: true, removeAdditional: false, allErrors: false }

/**
 * What a request may hold. Compiles route schemas. Text becomes a number or boolean only where there is nothing but text (query, params,
 * headers); a body is taken as it was sent, and nothing that was sent is dropped unseen.
 */
export default fp(async function validation (app) {
  const body = ajvFormats.default(new Ajv({ ...options, coerceTypes: false }))
  const text = ajvFormats.default(new Ajv({ ...options, coerceTypes: 'array' }))
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? body : text).compile(schema as object))
  app.setSchemaErrorFormatter(fieldError)

  // Many clients send the JSON content type with every request: no body is then no body, and no error.
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else void parseJson(request, body as string, done)
  })
}, { name: 'validation' })
