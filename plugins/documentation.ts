import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'

/** OpenAPI 3.1 made from the route schemas: `/documentation` is the reference page, `/documentation/json` the document. */
export default fp(async function documentation (app) {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Tidelog', version: '0.1.0', description: 'A realtime chat backend whose sync is right.' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ bearer: [] }]
    }
  })
  await app.register(swaggerUi, { routePrefix: '/documentation' })
}, { name: 'documentation' })
