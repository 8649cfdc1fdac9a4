import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sendJson } from '../../answers.ts'
import { changeSettings } from '../../../src/chat/conversations/change-settings.ts'
import { getConversation } from '../../../src/chat/conversations/describe-conversations.ts'
import { getMessage } from '../../../src/chat/conversations/get-message.ts'
import { readHistory, writeStretch } from '../../../src/chat/messages/history.ts'
import { listPins } from '../../../src/chat/messages/list-pins.ts'
import { listConversations, writeConversationList } from '../../../src/chat/conversations/list-conversations.ts'
import { markRead } from '../../../src/chat/conversations/mark-read.ts'
import {
  ConversationBody, ConversationListBody, ConversationMessageParams, ConversationParams, ConversationQuery,
  OneMessageBody, ReadInput, SettingsBody, SettingsInput, StretchBody, StretchQuery
} from '../../../src/schemas/conversation.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { PinnedBody, ReadBody } from '../../../src/schemas/message.ts'

const tags = ['conversations']

const conversationRoutes: FastifyPluginAsyncTypebox = async app => {
  app.addHook('onRequest', app.authenticate)

  app.get('', {
    schema: {
      summary: 'Your conversations of every kind',
      description: 'Pinned ones first, then by the latest activity. The common chat is among them once it has a ' +
        'message.',
      tags,
      querystring: ConversationQuery,
      response: { 200: ConversationListBody, ...failures(400, 401, 429, 503) }
    }
  }, async ({ query, identity }, reply) => {
    const text = writeConversationList(await listConversations(app.chat, identity, query))
    return await sendJson(reply, text)
  })

  app.get('/:conversationId', {
    schema: {
      summary: 'One conversation',
      description: 'A direct conversation exists from its first message on.',
      tags,
      params: ConversationParams,
      response: { 200: ConversationBody, ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params, identity }) => ({
    success: true as const, conversation: await getConversation(app.chat, identity, params.conversationId)
  }))

  app.patch('/:conversationId', {
    schema: {
      summary: 'Change your settings of a conversation',
      description: 'Only you see them. All your devices learn of them by a change `settings` of `self`.',
      tags,
      params: ConversationParams,
      body: SettingsInput,
      response: { 200: SettingsBody, ...failures(400, 401, 403, 404, 413, 415, 429, 503) }
    }
  }, async ({ params, body, identity }) => {
    const { rev } = await changeSettings(app.chat, identity, params.conversationId, body)
    const conversation = await getConversation(app.chat, identity, params.conversationId)
    return { success: true as const, conversation, rev }
  })

  app.get('/:conversationId/messages', {
    schema: {
      summary: 'Messages of a conversation',
      description: 'The newest messages, or those before, after or around a seq.',
      tags,
      params: ConversationParams,
      querystring: StretchQuery,
      response: { 200: StretchBody, ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params, query, identity }, reply) => {
    const page = await readHistory(app.chat, identity, params.conversationId, query)
    return await sendJson(reply, writeStretch(page))
  })

  app.get('/:conversationId/messages/:messageId', {
    schema: {
      summary: 'One message',
      tags,
      params: ConversationMessageParams,
      response: { 200: OneMessageBody, ...failures(400, 401, 404, 429, 503) }
    }
  }, async ({ params, identity }) => ({
    success: true as const, message: await getMessage(app.chat, identity, params)
  }))

  app.get('/:conversationId/pins', {
    schema: {
      summary: 'The pinned messages of a conversation',
      tags,
      params: ConversationParams,
      response: { 200: PinnedBody, ...failures(400, 401, 403, 404, 429, 503) }
    }
  }, async ({ params: { conversationId }, identity }) => {
    return { success: true as const, messages: await listPins(app.chat, identity, conversationId) }
  })

  app.patch('/:conversationId/read', {
    schema: {
      summary: 'Move your read position',
      description: 'It moves forward only. A seq above the last message means the last message.',
      tags,
      params: ConversationParams,
      body: ReadInput,
      response: { 200: ReadBody, ...failures(400, 401, 403, 404, 413, 415, 429, 503) }
    }
  }, async ({ params, body, identity }) => ({
    success: true as const,
    ...await markRead(app.chat, identity, { conversationId: params.conversationId, seq: body.seq })
  }))
}

export default conversationRoutes
