import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { ObjectId } from 'mongodb'
import t from 'tap'
import type { ChatContext } from '../../../src/chat/context.ts'
import {
  listConversations, listDirect, writeConversationList
} from '../../../src/chat/conversations/list-conversations.ts'
import { readUnreadCounts } from '../../../src/chat/conversations/unread.ts'
import { BlockDirectory } from '../../../src/chat/directories/block-directory.ts'
import { DescriptionCache } from '../../../src/chat/directories/description-cache.ts'
import { ListingDirectory } from '../../../src/chat/directories/listing-directory.ts'
import { MembershipDirectory } from '../../../src/chat/directories/membership-directory.ts'
import { MentionCounts } from '../../../src/chat/directories/mention-counts.ts'
import { SettingsDirectory } from '../../../src/chat/directories/settings-directory.ts'
import { UnreadCounter } from '../../../src/chat/directories/unread-counter.ts'
import { commonChatId, directId } from '../../../src/chat/rules/conversation-id.ts'
import { indexNames } from '../../../src/log/model/collections.ts'
import { ConversationLog } from '../../../src/log/conversation-log.ts'
import { seqOf } from '../../../src/log/model/types.ts'
import { syncStatus } from '../../../src/sync/legacy/sync-status.ts'
import type { Identity } from '../../../src/users/identity.ts'
import { UserDirectory } from '../../../src/users/user-directory.ts'
import { startApp } from '../../helpers/app.ts'
import { startNodes } from '../../helpers/nodes.ts'

/** Compares what servers answer from their caches with what one that knows nothing finds in the same database. */

interface User { token: string, id: string }

/** One or more servers on one database. */
interface World {
  apps: readonly FastifyInstance[]
  // A test checks the form of a body itself.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  call: (node: number, method: string, path: string, user: User, body?: object) => Promise<{ body: any }>
  /** Reads heads from the database each time. */
  log: ConversationLog
  users: User[]
}

const person = fc.nat(2)
const where = fc.constantFrom('direct', 'room', 'room', 'common')
const kindOf = <T extends string>(type: T) => fc.constant(type)
const change = fc.constantFrom('delete', 'edit', 'react', 'mention')
const membership = fc.constantFrom('join', 'leave', 'kick', 'invite', 'promote')
const setting = fc.constantFrom('clear' as const, 'hide', 'hide', 'pin', 'archive', 'unread')
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: kindOf('send'), by: person, where, mentions: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ type: kindOf('change'), how: change, where, back: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ type: kindOf('read'), by: person, where, seq: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ type: kindOf('block'), by: person, whom: person, on: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: kindOf('member'), who: person, how: membership }) },
  { weight: 2, arbitrary: fc.record({ type: kindOf('settings'), by: person, where, how: setting, seq: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ type: kindOf('purge'), where, seq: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ type: kindOf('room'), how: fc.constantFrom('rename', 'joined', 'all') }) },
  { weight: 1, arbitrary: fc.record({ type: kindOf('name'), who: person }) },
  { weight: 8, arbitrary: fc.record({ type: kindOf('look'), who: person }) }
)
const steps = fc.array(fc.tuple(fc.nat(), step), { minLength: 10, maxLength: 40 })
type History = Array<[number, Step]>
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Runs one history. The third user owns the room. */
async function run (world: World, history: History): Promise<void> {
  const { call, users, apps } = world
  const [, , owner] = users as [User, User, User]
  const { body: { room: { roomId } } } = await call(0, 'POST', '/api/rooms', owner, { name: 'a room' })
  const idOf = (place: string, by: User) =>
    place === 'room' ? `room_${roomId}` : place === 'common' ? commonChatId : directId(by.id, otherOf(users, by).id)
  for (const [index, [at, each]] of history.entries()) {
    const node = at % apps.length
    const conversationId = 'where' in each ? idOf(each.where, users['by' in each ? each.by : 0]!) : ''
    switch (each.type) {
      case 'send': {
        const by = users[each.by]!
        const mentions = each.mentions ? { mentions: { userIds: [otherOf(users, by).id] } } : {}
        await call(node, 'POST', '/api/messages', by, { conversationId, content: `message ${index}`, ...mentions })
        break
      }
      case 'change': {
        const { rows } = world.log.collections
        const row = await rows.findOne(
          { conversationId, seq: { $gt: seqOf(0) } }, { sort: { seq: -1 }, skip: each.back, hint: indexNames.bySeq }
        )
        const author = users.find(({ id }) => row?.senderId?.toHexString() === id)
        if (row === null || author === undefined) break
        const path = `/api/messages/${row._id.toHexString()}`
        const other = otherOf(users, author)
        const mentions = each.how === 'edit' ? null : { userIds: [other.id] }
        if (each.how === 'delete') await call(node, 'DELETE', path, author)
        else if (each.how === 'react') await call(node, 'PUT', `${path}/reactions/👍`, other)
        else await call(node, 'PUT', path, author, { content: `edit ${index}`, mentions })
        break
      }
      case 'read':
        await call(node, 'PATCH', `/api/conversations/${conversationId}/read`, users[each.by]!, { seq: each.seq })
        break
      case 'block':
        await call(node, each.on ? 'PUT' : 'DELETE', `/api/users/${users[each.whom]!.id}/block`, users[each.by]!)
        break
      case 'member': {
        const [who, path] = [users[each.who]!, `/api/rooms/${roomId}/members`]
        if (each.how === 'join') await call(node, 'PUT', `${path}/me`, who)
        else if (each.how === 'leave') await call(node, 'DELETE', `${path}/me`, who)
        else if (each.how === 'kick') await call(node, 'DELETE', `${path}/${who.id}`, owner)
        else {
          const role = each.how === 'invite' ? 'member' : 'moderator'
          await call(node, 'PUT', `${path}/${who.id}`, owner, { role })
        }
        break
      }
      case 'settings': {
        const how = {
          clear: { clearThroughSeq: each.seq },
          hide: { hideSeqs: [each.seq + 1] },
          pin: { pinned: each.seq > 4 },
          archive: { archived: each.seq > 4 },
          unread: { markedUnread: true }
        }
        await call(node, 'PATCH', `/api/conversations/${conversationId}`, users[each.by]!, how[each.how])
        break
      }
      case 'purge': {
        const purge = { type: 'purge' as const, conversationId, throughSeq: seqOf(each.seq) }
        await apps[node]!.chat.log.commit({ mutations: [purge] })
        break
      }
      case 'room': {
        const settings = each.how === 'rename' ? { name: `room ${index}` } : { history: each.how }
        await call(node, 'PATCH', `/api/rooms/${roomId}`, owner, settings)
        break
      }
      case 'name':
        await call(node, 'PATCH', '/api/users/me', users[each.who]!, { fullName: `name ${index}` })
        break
      case 'look': await look(world, node, users[each.who]!)
    }
  }
  for (const user of users) for (const node of apps.keys()) await look(world, node, user)
}

function otherOf (users: readonly User[], user: User): User {
  return users[(users.indexOf(user) + 1) % 2]!
}

async function look ({ apps, log, call }: World, node: number, user: User): Promise<void> {
  const fresh = knowingNothing(apps[node]!.chat, log)
  const identity = { userId: user.id, id: new ObjectId(user.id) } as Identity
  const got = async (path: string) => (await call(node, 'GET', path, user)).body
  const { serverTime: _, ...status } = await got('/api/messages/sync-status')
  const { serverTime, ...expected } = await syncStatus(fresh, identity, undefined)
  assert.deepEqual(status, { success: true, ...expected })
  const counts = await readUnreadCounts(fresh, identity)
  assert.deepEqual(await got('/api/messages/unread-count'), { success: true, ...counts })
  for (const query of [{ limit: 100 }, { limit: 2 }, { kind: 'direct' as const }, { archived: false }]) {
    const text = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) text.set(name, String(value))
    const page = writeConversationList(await listConversations(fresh, identity, query))
    assert.deepEqual(await got(`/api/conversations?${text.toString()}`), JSON.parse(page.toString()))
  }
  const { conversations } = await listDirect(fresh, identity, {})
  const told = (all: ReadonlyArray<{ conversationId: string, unreadCount: number }>) =>
    all.map(({ conversationId, unreadCount }) => [conversationId, unreadCount])
  assert.deepEqual(told((await got('/api/messages/conversations')).conversations), told(conversations))
}

/** The chat of a server that has cached nothing. */
function knowingNothing (chat: ChatContext, log: ConversationLog): ChatContext {
  const users = new UserDirectory(chat.collections.users)
  const listings = new ListingDirectory(chat.collections.listings)
  return {
    ...chat,
    log,
    users,
    listings,
    blocks: new BlockDirectory(log),
    memberships: new MembershipDirectory(log),
    descriptions: new DescriptionCache(users, listings),
    unread: new UnreadCounter(log),
    mentions: new MentionCounts(log),
    settings: new SettingsDirectory(log)
  }
}

const numRuns = Number(process.env['TIDELOG_RUNS'] ?? 6)

t.test('whatever happens, a server with caches answers like one without', { timeout: 0 }, async t => {
  const unlimited = { RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0', RATE_LIMIT_INVITATIONS: '0' }
  const { app, call, register } = await startApp(t, unlimited)
  const { client, db } = app.mongo
  const log = await ConversationLog.open(client, db!, { isSoleWriter: false })
  const users = [await register('one'), await register('two'), await register('three')]
  const world: World = {
    apps: [app], log, users, call: (_node, method, path, { token }, body) => call(method, path, { token, body })
  }
  await fc.assert(fc.asyncProperty(steps, history => run(world, history)), { numRuns, endOnFailure: true })
  await log.close()
  t.pass(`${numRuns} random histories`)
})

t.test('each of two servers on one database does too, whichever of them makes the change', { timeout: 0 }, async t => {
  const { nodes, call, register } = await startNodes(t, 2)
  const { client, db } = nodes[0]!.app.mongo
  const log = await ConversationLog.open(client, db!, { isSoleWriter: false })
  const users = [await register('one'), await register('two'), await register('three')]
  const world: World = {
    apps: nodes.map(({ app }) => app),
    log,
    users,
    call: (node, method, path, { token }, body) => call(nodes[node]!, method, path, token, body)
  }
  await fc.assert(fc.asyncProperty(steps, history => run(world, history)), { numRuns, endOnFailure: true })
  await log.close()
  t.pass(`${numRuns} random histories`)
})
