import { prepareDelete } from '../chat/messages/delete-message.ts'
import { prepareEdit } from '../chat/messages/edit-message.ts'
import type { ChangedMessage } from '../chat/messages/revise-message.ts'
import { prepareMarkRead } from '../chat/conversations/mark-read.ts'
import { prepareReact } from '../chat/messages/react.ts'
import { prepareSendTo } from '../chat/messages/send-to.ts'
import { type SentMessage } from '../chat/messages/send-message.ts'
import { prepareCommon } from '../chat/messages/send-common.ts'
import { prepareDirect } from '../chat/messages/send-direct.ts'
import { prepareRoom } from '../chat/messages/send-room.ts'
import { commonChatId, normalRoomId, roomConversationId } from '../chat/rules/conversation-id.ts'
import { memberKey } from '../log/model/types.ts'
import { JsonText } from '../connection/socket-io.ts'
import type { ClientEventName, ClientInput } from '../schemas/events.ts'
import type { Reply, ReplyEvent } from './reply.ts'
import { writeSyncJson } from '../sync/response.ts'
import { pull } from '../sync/pull.ts'
import { prepareOutbox } from '../outbox/push.ts'
import { enterRoom } from './enter-room.ts'
import { goLive } from './go-live.ts'
import { renewToken } from './renew-token.ts'
import { announceTyping } from './typing.ts'
import type { SocketContext } from './context.ts'
import type { PreparedCommit } from '../chat/context.ts'

interface Entry<E extends ClientEventName> {
  /** The text that legacy clients get if the event fails and they sent no callback. */
  failure: string
  /** Picks the part of a payload that the event uses; the rest is not kept. Default: all of it. */
  keep?: (data: unknown) => unknown
  /**
   * Runs in the socket's order up to the start of the commit. The function that it returns does not delay the next
   * event.
   */
  run: (live: SocketContext, data: ClientInput<E>) => Promise<PreparedCommit<Reply>>
}

const failedToSend = 'Failed to send message'

/** Every client event and its handler. */
export const eventHandlers: { [E in ClientEventName]: Entry<E> } = {
  setupUser: {
    failure: 'Failed to set up user',
    keep: liveChoice,
    run: async (live, { live: isLive, only }) => {
      const { userId } = identityOf(live)
      const heads = isLive === true ? { heads: await goLive(live, only) } : {}
      return async () => ({ ack: { userId, ...heads }, event: ['userSetup', { success: true, userId }] })
    }
  },
  sendDirectMessage: {
    failure: failedToSend,
    run: async (live, data) =>
      sending(await prepareDirect(live.chat, identityOf(live), data), message => ['directMessage', message])
  },
  sendMessage: {
    failure: failedToSend,
    run: async (live, data) => sending(await prepareSendTo(live.chat, identityOf(live), data), echoOf)
  },
  joinCommonChat: {
    failure: 'Failed to join common chat',
    keep: nothing,
    run: async ({ socket, nodes, subscriptions }) => {
      await subscriptions.subscribeCommonChat(socket)
      await nodes.channels.settled()
      return async () => ({ ack: {}, event: ['joinedCommonChat', { success: true }] })
    }
  },
  leaveCommonChat: {
    failure: 'Failed to leave common chat',
    keep: nothing,
    run: async ({ socket, subscriptions }) => {
      subscriptions.unsubscribe(socket, commonChatId)
      return async () => ({ ack: {}, event: ['leftCommonChat', { success: true }] })
    }
  },
  sendCommonChatMessage: {
    failure: failedToSend,
    run: async (live, data) =>
      sending(await prepareCommon(live.chat, identityOf(live), data), message => ['commonChatMessage', message])
  },
  joinRoom: {
    failure: 'Failed to join room',
    run: async (live, roomId) => await enterRoom(live, roomId)
  },
  leaveRoom: {
    failure: 'Failed to leave room',
    run: async ({ socket, subscriptions }, given) => {
      const roomId = normalRoomId(given)
      subscriptions.unsubscribe(socket, roomConversationId(roomId))
      return async () => ({ ack: { roomId }, event: ['leftRoom', { roomId, success: true }] })
    }
  },
  sendRoomMessage: {
    failure: failedToSend,
    run: async (live, data) =>
      sending(await prepareRoom(live.chat, identityOf(live), data), message => ['roomMessage', message])
  },
  editMessage: {
    failure: 'Failed to edit message',
    run: async (live, data) => changing(await prepareEdit(live.chat, identityOf(live), data))
  },
  deleteMessage: {
    failure: 'Failed to delete message',
    run: async (live, data) => changing(await prepareDelete(live.chat, identityOf(live), data))
  },
  react: {
    failure: 'Failed to react',
    run: async (live, data) => changing(await prepareReact(live.chat, identityOf(live), data))
  },
  markRead: {
    failure: 'Failed to mark as read',
    run: async (live, data) => {
      const commit = await prepareMarkRead(live.chat, identityOf(live), data)
      const key = memberKey(data.conversationId, identityOf(live).id)
      return async () => {
        live.live.markReadSockets.set(key, live.socket.id)
        try {
          return { ack: { ...await commit() } }
        } finally {
          live.live.markReadSockets.delete(key)
        }
      }
    }
  },
  sync: {
    failure: 'Failed to sync',
    // Responses are long: the next event waits until this one is built.
    run: async (live, data) => {
      const body = writeSyncJson(await pull(live.sync, identityOf(live), data), live.chat.now())
      return async () => ({ ack: new JsonText(body.toString()) })
    }
  },
  push: {
    failure: 'Failed to push',
    run: async (live, { operations }) => {
      const commits = await prepareOutbox(live.chat, identityOf(live), operations, live.toLoggedError('push'))
      return async () => ({ ack: { results: await commits() } })
    }
  },
  typing: {
    failure: 'Failed to tell that you are typing',
    run: async (live, data) => {
      await announceTyping(live, data)
      return async () => ({ ack: {} })
    }
  },
  subscribePresence: {
    failure: 'Failed to subscribe to presence',
    run: async (live, { userIds }) => {
      const { userId } = identityOf(live)
      live.chat.countSend(userId)
      const presence = await live.presence.subscribe(live.socket, userId, userIds)
      return async () => ({ ack: { presence } })
    }
  },
  refreshToken: {
    failure: 'Failed to refresh the token',
    run: async (live, { token }) => await renewToken(live, token)
  }
}

/** Legacy clients send anything here: only with `live: true` do the other fields count. */
function liveChoice (data: unknown): object {
  if (typeof data !== 'object' || data === null || (data as { live?: unknown }).live !== true) return {}
  return { live: true, ...('only' in data ? { only: data.only } : {}) }
}

function nothing (): null {
  return null
}

function identityOf ({ socket }: SocketContext) {
  return socket.data.session.identity
}

/**
 * Live delivery brings a new message to its sender too. A repeated send is not delivered again, so the reply contains
 * it.
 */
function sending<M extends SentMessage['message']> (
  commit: PreparedCommit<SentMessage<M>>, echo: (message: M) => ReplyEvent
): PreparedCommit<Reply> {
  return async () => {
    const { message, duplicate, rev } = await commit()
    return duplicate ? { ack: { message, duplicate, rev }, eventWithoutAck: echo(message) } : { ack: { message, rev } }
  }
}

/** The event that announces a new message of this kind. */
function echoOf (message: SentMessage['message']): ReplyEvent {
  if ('receiverId' in message) return ['directMessage', message]
  return 'roomId' in message ? ['roomMessage', message] : ['commonChatMessage', message]
}

function changing (commit: PreparedCommit<ChangedMessage>): PreparedCommit<Reply> {
  return async () => {
    const { message, rev } = await commit()
    return { ack: { message, rev } }
  }
}
