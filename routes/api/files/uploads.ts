import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ObjectId } from 'mongodb'
import type { Config } from '../../../src/config.ts'
import { filePayload } from '../../../src/files/file-payload.ts'
import { allowLongBody } from '../../../src/files/long-body.ts'
import { removeOwnFile, requireOwnUpload } from '../../../src/files/own-upload.ts'
import { type TusAnswer, TusUploads } from '../../../src/files/tus.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { FileBody, FileParams, UploadQuery } from '../../../src/schemas/file.ts'

const tags = ['files']
/** Bytes of a refused body that the server still reads. */
const restBytesMax = 1_048_576
const noBody = { type: 'null', description: 'No body' } as const

/** Uploads: by the tus protocol, or with the file as the body. */
const uploadRoutes: FastifyPluginAsyncTypebox<Pick<Config, 'REQUEST_TIMEOUT'>> = async (app, { REQUEST_TIMEOUT }) => {
  const uploads = new TusUploads(app.files)
  // The body is the file, whatever type it says it has.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, done) => { done(null) })
  app.addHook('onRequest', async ({ raw }) => { allowLongBody(raw, REQUEST_TIMEOUT * 1_000) })
  app.addHook('onError', async ({ raw }, reply) => {
    if (raw.complete) return
    // If little of a refused body is left, the server reads it and drops it: a client that is still sending then gets
    // the answer.
    if (Number(raw.headers['content-length'] ?? Number.NaN) <= restBytesMax) raw.removeAllListeners('data').resume()
    else reply.header('connection', 'close')
  })

  app.post('', {
    schema: {
      summary: 'Upload a file',
      description: 'The body is the file; send its `Content-Length`: ' +
        '`curl --data-binary @a.png \'…/api/files?name=a.png\'`. ' +
        'With `Tus-Resumable: 1.0.0` the call begins an upload that can be resumed, by version 1.0.0 of the tus ' +
        'protocol (tus.io; creation, creation-with-upload and termination), with `filename` in `Upload-Metadata`; ' +
        '`Location` names it. If you put an `uploadId` of your own into `Upload-Metadata`, a repeated call returns ' +
        'the same upload, and in `Upload-Offset` how much of it is stored; 409 if its name or length differ.',
      tags,
      querystring: UploadQuery,
      response: { 201: FileBody, ...failures(400, 401, 409, 413, 415, 429, 503, 507) }
    }
  }, async ({ query, identity: { id: userId }, raw }, reply) => {
    const { headers } = raw
    if (headers['tus-resumable'] !== undefined) {
      return await finish(reply, await uploads.answer({ method: 'POST', userId, headers, body: raw }))
    }
    const file = await uploads.takeWhole(userId, query.name ?? '', Number(headers['content-length'] ?? Number.NaN), raw)
    return await reply.code(201).send({ success: true, file: filePayload(file) })
  })

  app.head('/:id', {
    schema: {
      summary: 'How much of your upload is stored',
      description: '`Upload-Offset` is the number of bytes.',
      tags,
      params: FileParams,
      response: { 200: noBody, ...failures(400, 401, 404, 423, 429, 503) }
    }
  }, async (request, reply) => await finish(reply, await answer(request, 'HEAD')))

  app.patch('/:id', {
    schema: {
      summary: 'Continue your upload',
      description: 'The body is the bytes from `Upload-Offset` on; with the last one the file is complete. 409 if ' +
        '`Upload-Offset` is not the number of bytes stored: ask with HEAD. 423 while another server still writes ' +
        'to the upload: it ends that earlier request, so the same call succeeds soon.',
      tags,
      params: FileParams,
      response: { 204: noBody, ...failures(400, 401, 404, 409, 413, 415, 423, 429, 503, 507) }
    }
  }, async (request, reply) => await finish(reply, await answer(request, 'PATCH')))

  app.delete('/:id', {
    schema: {
      summary: 'Delete your upload',
      description: '403 if a message carries the file, which is then deleted with it, or if you named the file in a ' +
        'send within the last hour. A request that still writes to the upload is ended: 423 while that is on ' +
        'another server.',
      tags,
      params: FileParams,
      response: { 204: noBody, ...failures(400, 401, 403, 404, 423, 429, 503) }
    }
  }, async ({ params, identity }, reply) => {
    await removeOwnFile(
      app.files, await requireOwnUpload(app.files, identity.id, ObjectId.createFromHexString(params.id))
    )
    return await (reply as FastifyReply).code(204).header('tus-resumable', '1.0.0').send()
  })

  async function answer (
    { params, identity, raw }: FastifyRequest<{ Params: { id: string } }>, method: 'HEAD' | 'PATCH'
  ): Promise<TusAnswer> {
    const file = await requireOwnUpload(app.files, identity.id, ObjectId.createFromHexString(params.id))
    return await uploads.answer({ method, userId: identity.id, headers: raw.headers, body: raw, file })
  }

  async function finish (reply: FastifyReply, { status, headers }: TusAnswer): Promise<FastifyReply> {
    return await reply.code(status).headers(headers).send()
  }
}

export default uploadRoutes
