import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { normalRoomId, roomConversationId } from '../../../src/chat/conversation-id.ts'
import { history } from '../../../src/chat/history.ts'
import { sendRoom } from '../../../src/chat/send-room.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { HistoryQuery, RoomMessage, historyBody, messageBody } from '../../../src/schemas/message.ts'
import { RoomMessageInput, RoomParams } from '../../../src/schemas/room.ts'

const tags = ['rooms']

const roomRoutes: FastifyPluginAsyncTypebox = async app => {
  app.addHook('onRequest', app.authenticate)

  app.get('/:roomId/messages', {
    schema: {
      summary: 'Messages of a room',
      tags,
      params: RoomParams,
      querystring: HistoryQuery,
      response: { 200: historyBody(RoomMessage), ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params, query, identity }) => {
    const { messages, ...page } = await history(app.chat, identity, roomConversationId(normalRoomId(params.roomId)), query)
    return { success: true as const, messages: messages as RoomMessage[], ...page }
  })

  app.post('/:roomId/messages', {
    schema: {
      summary: 'Send a message to a room',
      tags,
      params: RoomParams,
      body: RoomMessageInput,
      response: { 201: messageBody(RoomMessage), 200: messageBody(RoomMessage), ...failures(400, 401, 403, 404, 409, 413, 415, 429, 503) }
    }
  }, async ({ params, body, identity }, reply) => {
    const { message, duplicate, rev } = await sendRoom(app.chat, identity, { ...body, roomId: params.roomId })
    return await reply.code(duplicate ? 200 : 201).send({ success: true, message, rev, ...(duplicate ? { duplicate } : {}) })
  })
}

export default roomRoutes
