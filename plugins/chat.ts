import fp from 'fastify-plugin'
import { BlockDirectory } from '../src/chat/directories/block-directory.ts'
import { chatCollections } from '../src/chat/directories/collections.ts'
import type { ChatContext } from '../src/chat/context.ts'
import { fillRoomNames } from '../src/chat/rooms/list-rooms.ts'
import { evictFromDeletedRooms } from '../src/chat/rooms/delete-room.ts'
import { DescriptionCache } from '../src/chat/directories/description-cache.ts'
import { HiddenMessages } from '../src/chat/directories/hidden-messages.ts'
import { ListingDirectory } from '../src/chat/directories/listing-directory.ts'
import { MembershipDirectory } from '../src/chat/directories/membership-directory.ts'
import { MentionCounts } from '../src/chat/directories/mention-counts.ts'
import { SettingsDirectory } from '../src/chat/directories/settings-directory.ts'
import { UnreadCounter } from '../src/chat/directories/unread-counter.ts'
import { UserDirectory } from '../src/users/user-directory.ts'
import type { Config } from '../src/config.ts'
import { ConversationLog } from '../src/log/conversation-log.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The context of the chat's operations. */
    chat: ChatContext
  }
}

/**
 * Opens the conversation log and decorates `fastify.chat`. On closing, pending commits finish before the database
 * closes.
 */
export default fp(async function chat (app, { nodeId, ...config }: Config & { nodeId: string }) {
  const { client, db } = app.mongo
  if (db === undefined) throw new Error('The database has no name')
  const log = await ConversationLog.open(client, db, {
    isSoleWriter: app.isSoleWriter,
    tellsTime: !app.isSoleWriter && !app.isSharded,
    hasBulkWrite: app.hasBulkWrite,
    nodeId,
    onRetry: (result, attempt) => { app.log.debug({ result: result.result, attempt }, 'commit tried again') }
  })
  app.addHook('onClose', () => log.close())
  const collections = chatCollections(db)
  const users = new UserDirectory(collections.users)
  const listings = new ListingDirectory(collections.listings)
  app.decorate('chat', {
    collections,
    log,
    users,
    blocks: new BlockDirectory(log),
    listings,
    memberships: new MembershipDirectory(log),
    descriptions: new DescriptionCache(users, listings),
    hidden: new HiddenMessages(log),
    unread: new UnreadCounter(log),
    mentions: new MentionCounts(log),
    settings: new SettingsDirectory(log),
    files: app.files,
    limits: { messageCharsMax: config.MESSAGE_CHARS_MAX, editWindowMs: config.EDIT_WINDOW * 1_000 },
    now: Date.now,
    countSend: userId => { app.limiters.sends.consume(userId) },
    countRequest: userId => { app.limiters.requests.consume(userId) },
    countInvitation: userId => { app.limiters.invitations.consume(userId) },
    uncountInvitation: userId => { app.limiters.invitations.giveBack(userId) }
  })
  app.addHook('onReady', async () => {
    fillRoomNames(app.chat)
      .catch((error: unknown) => { app.log.warn({ err: error }, 'rooms are not sorted by name yet') })
    evictFromDeletedRooms(app.chat)
      .catch((error: unknown) => { app.log.warn({ err: error }, 'members of a deleted room are left') })
  })
}, { name: 'chat', dependencies: ['mongodb', 'rate-limit', 'files'] })
