import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sendJson, sentBody } from '../../answers.ts'
import { normalRoomId, roomConversationId } from '../../../src/chat/rules/conversation-id.ts'
import { deleteRoom } from '../../../src/chat/rooms/delete-room.ts'
import { readHistory, writeHistoryJson } from '../../../src/chat/messages/history.ts'
import { listRooms } from '../../../src/chat/rooms/list-rooms.ts'
import { changeRoom, createRoom, getRoom } from '../../../src/chat/rooms/room.ts'
import { sendRoom } from '../../../src/chat/messages/send-room.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { HistoryQuery, RoomMessage, historyBody, messageBody } from '../../../src/schemas/message.ts'
import {
  ChangeRoomInput, CreateRoomInput, DoneBody, RoomBody, RoomMessageInput, RoomParams, RoomsBody, RoomsQuery
} from '../../../src/schemas/room.ts'
import memberRoutes from './members.ts'

const tags = ['rooms']

const roomRoutes: FastifyPluginAsyncTypebox = async app => {
  app.addHook('onRequest', app.authenticate)
  await app.register(memberRoutes)

  app.post('', {
    schema: {
      summary: 'Create a room',
      description: 'You become its owner.',
      tags,
      body: CreateRoomInput,
      response: { 201: RoomBody, ...failures(400, 401, 413, 415, 429, 503) }
    }
  }, async ({ body, identity }, reply) => {
    const room = await createRoom(app.chat, identity, body)
    return await reply.code(201).send({ success: true, room })
  })

  app.get('', {
    schema: {
      summary: 'Public rooms and your rooms',
      description: 'A search looks through at most 2,000 rooms in a call; while `hasMore`, ask again with `cursor`.',
      tags,
      querystring: RoomsQuery,
      response: { 200: RoomsBody, ...failures(400, 401, 429, 503) }
    }
  }, async ({ query, identity }) => ({ success: true as const, ...await listRooms(app.chat, identity, query) }))

  app.get('/:roomId', {
    schema: {
      summary: 'One room',
      tags,
      params: RoomParams,
      response: { 200: RoomBody, ...failures(400, 401, 404, 429, 503) }
    }
  }, async ({ params, identity }) => ({
    success: true as const, room: await getRoom(app.chat, identity, params.roomId)
  }))

  app.patch('/:roomId', {
    schema: {
      summary: 'Change the settings of a room',
      description: 'For the owner and moderators.',
      tags,
      params: RoomParams,
      body: ChangeRoomInput,
      response: { 200: RoomBody, ...failures(400, 401, 403, 404, 413, 415, 429, 503) }
    }
  }, async ({ params, body, identity }) => ({
    success: true as const, room: await changeRoom(app.chat, identity, params.roomId, body)
  }))

  app.delete('/:roomId', {
    schema: {
      summary: 'Delete a room',
      description: 'For the owner. All members leave, nobody can read the room any more, and its id is not used again.',
      tags,
      params: RoomParams,
      response: { 200: DoneBody, ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params, identity }) => {
    await deleteRoom(app.chat, identity, params.roomId)
    return { success: true as const }
  })

  app.get('/:roomId/messages', {
    schema: {
      summary: 'Messages of a room',
      tags,
      params: RoomParams,
      querystring: HistoryQuery,
      response: { 200: historyBody(RoomMessage), ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params, query, identity }, reply) => {
    const page = await readHistory(app.chat, identity, roomConversationId(normalRoomId(params.roomId)), query)
    return await sendJson(reply, writeHistoryJson(page))
  })

  app.post('/:roomId/messages', {
    schema: {
      summary: 'Send a message to a room',
      tags,
      params: RoomParams,
      body: RoomMessageInput,
      response: {
        201: messageBody(RoomMessage),
        200: messageBody(RoomMessage),
        ...failures(400, 401, 403, 404, 409, 413, 415, 429, 503)
      }
    }
  }, async ({ params, body, identity }, reply) => {
    const sent = await sendRoom(app.chat, identity, { ...body, roomId: params.roomId })
    return await reply.code(sent.duplicate ? 200 : 201).send(sentBody(sent))
  })
}

export default roomRoutes
