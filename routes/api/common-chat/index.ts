import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sendJson, sentBody } from '../../answers.ts'
import { commonChatId } from '../../../src/chat/rules/conversation-id.ts'
import { readHistory, writeHistoryJson } from '../../../src/chat/messages/history.ts'
import { sendCommon } from '../../../src/chat/messages/send-common.ts'
import { failures } from '../../../src/schemas/failures.ts'
import {
  CommonChatMessage, HistoryQuery, SendCommonInput, historyBody, messageBody
} from '../../../src/schemas/message.ts'

const tags = ['common chat']

const commonChatRoutes: FastifyPluginAsyncTypebox = async app => {
  app.addHook('onRequest', app.authenticate)

  app.post('/message', {
    schema: {
      summary: 'Send a message to the common chat',
      tags,
      body: SendCommonInput,
      response: {
        201: messageBody(CommonChatMessage),
        200: messageBody(CommonChatMessage),
        ...failures(400, 401, 409, 413, 415, 429, 503)
      }
    }
  }, async ({ body, identity }, reply) => {
    const sent = await sendCommon(app.chat, identity, body)
    return await reply.code(sent.duplicate ? 200 : 201).send(sentBody(sent))
  })

  app.get('/messages', {
    schema: {
      summary: 'Messages of the common chat',
      tags,
      querystring: HistoryQuery,
      response: { 200: historyBody(CommonChatMessage), ...failures(400, 401, 429, 503) }
    }
  }, async ({ query, identity }, reply) => {
    const page = await readHistory(app.chat, identity, commonChatId, query)
    return await sendJson(reply, writeHistoryJson(page))
  })
}

export default commonChatRoutes
