import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { TidelogError } from '../src/errors.ts'
import { errorsBy, jsonChecks, textChecks } from '../src/lib/json-schema.ts'
import { fieldError } from '../src/schemas/field-errors.ts'

type JsonParser = (request: FastifyRequest, bytes: Buffer, done: (error: Error | null, body?: unknown) => void) => void

declare module 'fastify' {
  interface FastifyInstance {
    /** Parses a JSON body, as for every route. */
    parseJson: JsonParser
  }
}

/** Checks requests: the content type, and the schema of the route. */
export default fp(async function validation (app) {
  app.setValidatorCompiler<object>(({ schema, httpPart }) => {
    const errorsOf = errorsBy(httpPart === 'body' ? jsonChecks : textChecks, schema)
    return value => {
      const error = errorsOf(value)
      return error === undefined || { error }
    }
  })
  app.setSchemaErrorFormatter(fieldError)

  const parse = app.getDefaultJsonParser('error', 'error')
  const parseJson: JsonParser = ({ headers }, bytes, done) => {
    // Many clients send the JSON content type with every request, so an empty body is no error.
    if (bytes.length === 0) return done(null, undefined)
    const encoding = headers['content-encoding'] ?? 'identity'
    if (encoding.toLowerCase() !== 'identity') {
      return done(new TidelogError('UNSUPPORTED_MEDIA_TYPE', 'Send the body without a Content-Encoding'))
    }
    // Decoding would replace invalid bytes and store a text that nobody wrote.
    if (!isUtf8(bytes)) return done(new TidelogError('VALIDATION', 'The body is not UTF-8'))
    void parse(undefined as never, bytes.toString(), done)
  }
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseJson)
  app.decorate('parseJson', parseJson)

  // A route without a body refuses fields in one, like other routes refuse unknown fields.
  app.addHook('preValidation', (request, _reply, done) => {
    const { body, is404, routeOptions: { schema } } = request
    const takesNone = !is404 && schema?.body === undefined
    const [field] = takesNone && typeof body === 'object' && body !== null ? Object.keys(body) : []
    if (field === undefined) return done()
    done(new TidelogError('VALIDATION', `${field.slice(0, 100)} is not a known field: this request takes no body`))
  })
}, { name: 'validation' })
