import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { asyncApi } from '../src/schemas/asyncapi.ts'
import { addLinks } from '../src/schemas/openapi-links.ts'

/**
 * Serves documents made from the schemas that validate: OpenAPI 3.1 of the routes (`/documentation` is the reference
 * page, `/documentation/json` the document) and AsyncAPI 3 of the socket's events (`/documentation/asyncapi.json`).
 */
export default fp(async function documentation (app) {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Tidelog', version: '0.1.0', description: 'A realtime chat server: REST, sync and sockets.' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ bearer: [] }]
    },
    transformObject: given => {
      if (!('openapiObject' in given)) return given.swaggerObject
      addLinks(given.openapiObject.paths ?? {})
      return given.openapiObject
    }
  })
  await app.register(swaggerUi, { routePrefix: '/documentation' })
  const document = asyncApi()
  app.get('/documentation/asyncapi.json', { schema: { hide: true } }, async () => document)
}, { name: 'documentation' })
