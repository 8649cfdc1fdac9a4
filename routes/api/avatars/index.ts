import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { contentOf } from '../../../src/files/content.ts'
import { requirePublished } from '../../../src/files/picture.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { AvatarParams } from '../../../src/schemas/user.ts'

const idDigits = 24

/** Pictures of people and rooms, for everybody who has their address. */
const avatarRoutes: FastifyPluginAsyncTypebox = async app => {
  app.get('/:picture', {
    schema: {
      summary: 'The picture of a user or a room',
      description: 'Needs no token. The picture at an address never changes; the address ends when it is replaced or ' +
        'removed.',
      tags: ['files'],
      security: [],
      params: AvatarParams,
      produces: ['image/*'],
      response: { ...failures(400, 404, 429, 503) }
    }
  }, async ({ params: { picture }, raw }, reply) => {
    app.limiters.requests.consume(`address:${app.addressOf(raw)}`)
    const file = await requirePublished(app.files, picture.slice(0, idDigits), picture.slice(idDigits + 1))
    const caching = 'public, max-age=31536000, immutable'
    const { status, headers, stream } = await contentOf(app.files, file, raw, caching)
    return await (reply as FastifyReply).code(status).headers(headers)
      // The name of the file is its owner's.
      .header('content-disposition', 'inline').send(stream)
  })
}

export default avatarRoutes
