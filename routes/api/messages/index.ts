import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { sendJson, sentBody } from '../../answers.ts'
import { deleteMessage } from '../../../src/chat/messages/delete-message.ts'
import { editMessage } from '../../../src/chat/messages/edit-message.ts'
import { listReactors } from '../../../src/chat/messages/list-reactors.ts'
import { readDirectHistory, writeHistoryJson } from '../../../src/chat/messages/history.ts'
import { listDirect } from '../../../src/chat/conversations/list-conversations.ts'
import { markConversationRead, markMessageRead } from '../../../src/chat/conversations/mark-read.ts'
import { pinMessage } from '../../../src/chat/messages/pin-message.ts'
import { react } from '../../../src/chat/messages/react.ts'
import { searchMessages } from '../../../src/search/search-messages.ts'
import { sendTo } from '../../../src/chat/messages/send-to.ts'
import { readUnreadCounts } from '../../../src/chat/conversations/unread.ts'
import { failures } from '../../../src/schemas/failures.ts'
import {
  ConversationQuery, ConversationsBody, DirectMessage, EditBodyInput, Emoji, HistoryQuery, Message, PinsBody,
  ReactorsBody, ReactorsQuery, ReadBody, SearchBody, SearchQuery, SendInput, UnreadBody, historyBody, messageBody
} from '../../../src/schemas/message.ts'
import { Id } from '../../../src/schemas/primitives.ts'
import syncRoutes from './sync.ts'

const MessageParams = Type.Object({ id: Id })
const ReactionParams = Type.Object({ id: Id, emoji: Emoji })
const UserParams = Type.Object({ userId: Id })
const tags = ['messages']

const messageRoutes: FastifyPluginAsyncTypebox = async app => {
  app.addHook('onRequest', app.authenticate)
  await app.register(syncRoutes)

  app.post('/', {
    schema: {
      summary: 'Send a message',
      description: 'Name one of: a user (`receiverId`), a room (`roomId`), a conversation of any kind ' +
        '(`conversationId`). A repeated clientMessageId with the same body gets 200, the stored message and ' +
        '`duplicate: true`. ' +
        'Administrators may send the messageType `system`, also to a room that they have not joined.',
      tags,
      body: SendInput,
      response: {
        201: messageBody(Message),
        200: messageBody(Message),
        ...failures(400, 401, 403, 404, 409, 413, 415, 429, 503)
      }
    }
  }, async ({ body, identity }, reply) => {
    const sent = await sendTo(app.chat, identity, body)
    return await reply.code(sent.duplicate ? 200 : 201).send(sentBody(sent))
  })

  app.get('/conversations', {
    schema: {
      summary: 'Your direct conversations',
      description: 'The newest message first.',
      tags,
      querystring: ConversationQuery,
      response: { 200: ConversationsBody, ...failures(400, 401, 429, 503) }
    }
  }, async ({ query, identity }) => ({ success: true as const, ...await listDirect(app.chat, identity, query) }))

  app.get('/unread-count', {
    schema: {
      summary: 'The number of unread messages, in total and by conversation',
      description: 'At most 1,000 are counted for each conversation.',
      tags,
      response: { 200: UnreadBody, ...failures(401, 429, 503) }
    }
  }, async ({ identity }) => ({ success: true as const, ...await readUnreadCounts(app.chat, identity) }))

  app.get('/search', {
    schema: {
      summary: 'Search your direct conversations and rooms',
      description: 'With `conversationId` it searches that one. A call does a bounded amount of work, so a page may ' +
        'have few messages, or none: while `hasMore`, ask again with `cursor`.',
      tags,
      querystring: SearchQuery,
      response: { 200: SearchBody, ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ query, identity }) => ({
    success: true as const, ...await searchMessages(app.messageSearch, identity, query)
  }))

  app.get('/:userId', {
    schema: {
      summary: 'Messages with a user',
      tags,
      params: UserParams,
      querystring: HistoryQuery,
      response: { 200: historyBody(DirectMessage), ...failures(400, 401, 404, 429, 503) }
    }
  }, async ({ params, query, identity }, reply) => {
    const page = await readDirectHistory(app.chat, identity, params.userId, query)
    return await sendJson(reply, writeHistoryJson(page))
  })

  app.patch('/:id/read', {
    schema: {
      summary: 'Mark a message and all before it as read',
      tags,
      params: MessageParams,
      response: { 200: ReadBody, ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params, identity }) => ({
    success: true as const, ...await markMessageRead(app.chat, identity, params.id)
  }))

  app.patch('/conversations/:userId/read', {
    schema: {
      summary: 'Mark everything from a user as read',
      tags,
      params: UserParams,
      response: { 200: ReadBody, ...failures(400, 401, 404, 429, 503) }
    }
  }, async ({ params, identity }) => ({
    success: true as const, ...await markConversationRead(app.chat, identity, params.userId)
  }))

  app.put('/:id', {
    schema: {
      summary: 'Edit your message',
      tags,
      params: MessageParams,
      body: EditBodyInput,
      response: { 200: messageBody(Message), ...failures(400, 401, 403, 404, 409, 413, 415, 429, 503) }
    }
  }, async ({ params, body, identity }) => ({
    success: true as const, ...await editMessage(app.chat, identity, { ...body, messageId: params.id })
  }))

  app.delete('/:id', {
    schema: {
      summary: 'Delete a message',
      description: 'You can delete your messages at any time. The owner and moderators of a room can delete any ' +
        'message in it, administrators any message in a room or the common chat.',
      tags,
      params: MessageParams,
      response: { 200: messageBody(Message), ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params, identity }) => ({
    success: true as const, ...await deleteMessage(app.chat, identity, { messageId: params.id })
  }))

  app.get('/:id/reactions/:emoji', {
    schema: {
      summary: 'Everybody who reacted with an emoji',
      description: 'Sorted by id. A message names the first 50 of each kind.',
      tags,
      params: ReactionParams,
      querystring: ReactorsQuery,
      response: { 200: ReactorsBody, ...failures(400, 401, 404, 429, 503) }
    }
  }, async ({ params, query, identity }) => {
    const page = await listReactors(app.chat, identity, { ...query, messageId: params.id, emoji: params.emoji })
    return { success: true as const, ...page }
  })

  for (const on of [true, false]) {
    app.route({
      method: on ? 'PUT' : 'DELETE',
      url: '/:id/pin',
      schema: {
        summary: on ? 'Pin a message' : 'Unpin a message',
        description: 'Both users of a direct conversation may do this, the owner and moderators of a room, and ' +
          'administrators in rooms and the common chat. A conversation has at most 50 pinned messages; deleting a ' +
          'message unpins it. Repeating it changes nothing.',
        tags,
        params: MessageParams,
        response: { 200: PinsBody, ...failures(400, 401, 403, 404, 429, 503) }
      },
      handler: async ({ params: { id: messageId }, identity }) => {
        return { success: true as const, ...await pinMessage(app.chat, identity, { messageId, on }) }
      }
    })
    app.route({
      method: on ? 'PUT' : 'DELETE',
      url: '/:id/reactions/:emoji',
      schema: {
        summary: on ? 'React to a message' : 'Remove a reaction',
        description: on
          ? 'The emoji is one grapheme of at most 64 bytes, percent-encoded in the URL. A message takes at most 20 ' +
            'kinds of reactions, and 5,000 in all. Repeating it changes nothing.'
          : 'Repeating it changes nothing.',
        tags,
        params: ReactionParams,
        response: { 200: messageBody(Message), ...failures(400, 401, 403, 404, 429, 503) }
      },
      handler: async ({ params, identity }) => ({
        success: true as const, ...await react(app.chat, identity, { messageId: params.id, emoji: params.emoji, on })
      })
    })
  }
}

export default messageRoutes
