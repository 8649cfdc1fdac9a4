import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { linkedFile, linksFor, requireReadableFile } from '../../../src/chat/access/file-access.ts'
import type { Config } from '../../../src/config.ts'
import { contentOf } from '../../../src/files/content.ts'
import { filePayload } from '../../../src/files/file-payload.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { FileBody, FileParams, LinkQuery, LinksBody, LinksInput } from '../../../src/schemas/file.ts'
import uploadRoutes from './uploads.ts'

const tags = ['files']

const fileRoutes: FastifyPluginAsyncTypebox<Pick<Config, 'REQUEST_TIMEOUT'>> = async (app, { REQUEST_TIMEOUT }) => {
  app.addHook('onRequest', async (request, reply) => {
    // A link is good without a token.
    if (request.routeOptions.config.takesLinks === true && (request.query as { s?: string }).s !== undefined) return
    await app.authenticate(request, reply)
  })
  await app.register(uploadRoutes, { REQUEST_TIMEOUT })

  app.get('/:id', {
    exposeHeadRoute: false, // HEAD is the upload's.
    schema: {
      summary: 'One file',
      description: 'You can read your own files, and those carried by messages that you can see.',
      tags,
      params: FileParams,
      response: { 200: FileBody, ...failures(400, 401, 404, 429, 503) }
    }
  }, async ({ params, identity }) => (
    { success: true as const, file: filePayload(await requireReadableFile(app.chat, identity, params.id)) }
  ))

  app.get('/:id/content', {
    config: { takesLinks: true },
    schema: {
      summary: 'The content of a file',
      description: 'Honours `Range`, `If-Range`, `If-None-Match` and `If-Match`. Browsers download what they ' +
        'cannot show safely.',
      tags,
      params: FileParams,
      querystring: LinkQuery,
      produces: ['application/octet-stream'],
      response: { ...failures(400, 401, 404, 429, 503) }
    }
  }, async ({ params, query: { e, s }, identity, raw }, reply) => {
    const isLink = s !== undefined
    if (isLink) app.limiters.requests.consume(`address:${app.addressOf(raw)}`)
    const file = isLink
      ? await linkedFile(
        app.chat, params.id, { e: e ?? 0, s }
      )
      : await requireReadableFile(app.chat, identity, params.id)
    const caching = isLink ? 'private, max-age=7200, immutable' : 'private, no-cache'
    const { status, headers, stream } = await contentOf(app.files, file, raw, caching)
    return await (reply as FastifyReply).code(status).headers(headers).send(stream)
  })

  app.post('/links', {
    schema: {
      summary: 'Links to the content of files',
      description: 'For what cannot send a token, such as `<img>` and `<video>`. Within an hour you get the same ' +
        'link for a file; it ends after one to two hours.',
      tags,
      body: LinksInput,
      response: { 200: LinksBody, ...failures(400, 401, 413, 415, 429, 503) }
    }
  }, async ({ body, identity }) => (
    { success: true as const, links: await linksFor(app.chat, identity, body.fileIds) }
  ))
}

export default fileRoutes
