import type { PromiseNumber, SectionName } from '../../conformance/report.ts'
import type { Scene } from '../../conformance/scenes/index.ts'
import { blocks } from '../../conformance/scenes/blocks.ts'
import { answersToRetries, contents } from '../../conformance/scenes/changes.ts'
import { findableRooms, namedLive, people } from '../../conformance/scenes/choices.ts'
import { conversations, ownSettings, scopes } from '../../conformance/scenes/conversations.ts'
import { documents } from '../../conformance/scenes/documents.ts'
import { heads } from '../../conformance/scenes/heads.ts'
import { junkEvents } from '../../conformance/scenes/junk-events.ts'
import { junk, withoutToken } from '../../conformance/scenes/junk.ts'
import { limits } from '../../conformance/scenes/limits.ts'
import { polls } from '../../conformance/scenes/polls.ts'
import { presence } from '../../conformance/scenes/presence.ts'
import { manyUnread, reads } from '../../conformance/scenes/reads.ts'
import { abandonedRooms, publicRooms, roles } from '../../conformance/scenes/roles.ts'
import { sessions, strangeTokens } from '../../conformance/scenes/tokens.ts'
import { typing } from '../../conformance/scenes/typing.ts'
import { comingBack, views } from '../../conformance/scenes/views.ts'
import { type Any, type Mutant, type Request, type Response, json } from './proxy.ts'

/** Under which it is found, what is wrong, the scene that finds it, words of what is found, and the server that is wrong. */
export type Planted = [PromiseNumber | SectionName, string, Scene, RegExp, Mutant]

/** Changes the parsed body of the answers to these calls. */
const body = (path: RegExp, change: (body: Any, request: Request) => Any): Mutant => ({
  response: (request, response, given) => path.test(`${request.method} ${request.path}`) && given !== undefined ? json(response, change(given, request)) : response
})
/** Changes the conversations of every sync. */
const synced = (change: (conversation: Any) => Any): Mutant => body(/POST \/api\/sync$/, given => ({ ...given, conversations: given.conversations?.map(change) }))
/** Answers these calls with success where they are refused. */
const lax = (path: RegExp, status: number, fine: Any = {}): Mutant => ({
  response: (request, response) => path.test(`${request.method} ${request.path}`) && response.status === status ? json(response, { success: true, ...fine }, 200) : response
})
const dropped = (name: string, pattern: (payload: Any) => boolean = () => true): Mutant => ({ told: (event, payload) => event === name && pattern(payload) ? [] : [[event, payload]] })
const status = (path: RegExp, of: number, is: number): Mutant => ({ response: (request, response) => path.test(`${request.method} ${request.path}`) && response.status === of ? { ...response, status: is } : response })
const acknowledged = (name: string, change: (ack: Any, data: Any) => Any): Mutant => ({ ack: (event, data, ack) => event === name ? change(ack, data) : ack })

let last: Response | undefined

export const planted: Planted[] = [
  ['tokens', 'a token without a signature is let in over REST', strangeTokens, /a token without a signature is 401/, { response: (request, response) => /\.$/.test(request.headers['authorization'] ?? '') ? json(response, { success: true }, 200) : response }],
  ['tokens', 'a socket without a token gets another text', strangeTokens, /no token is refused at a socket/, { refusal: text => text.replace('No token provided', 'no token') }],
  ['tokens', 'one route asks for no token', withoutToken, /GET \/api\/rooms without a token is 401/, lax(/GET \/api\/rooms$/, 401)],
  ['tokens', 'a logout leaves sockets open', sessions, /a logout everywhere closes all sockets/, { keepsSockets: true }],
  ['tokens', 'an exchanged refresh token is good again', sessions, /an exchanged refresh token is refused/, {
    response: (request, response) => {
      if (!request.path.endsWith('/refresh')) return response
      if (response.status === 200) last = response
      return last ?? response
    }
  }],
  ['tokens', 'a socket goes on under a token of anybody', sessions, /token of another user/, acknowledged('refreshToken', () => ({ success: true }))],
  [6, 'an unknown account is told apart', sessions, /answered like a wrong password/, body(/POST \/api\/auth\/login/, (given, { body }) => body.includes('nobody.at.all') ? { ...given, message: 'There is no such account' } : given)],
  [6, 'an e-mail address is told to others', documents, /tells email/, body(/GET \/api\/users\/\w+$/, given => ({ ...given, user: { ...given.user, email: 'x@example.org' } }))],

  ['typing', 'typing comes back to who types', typing, /does not come back/, { emitted: (event, data, socket) => { if (event === 'typing') socket.emit('typing', { ...data, userId: claims(socket.handshake.auth['token']) }) } }],
  ['typing', 'typing is not throttled', typing, /are throttled/, { emitted: (event, data, _, { everybody }) => { if (event === 'typing') everybody.emit('typing', { ...data, userId: 'x' }) } }],
  [6, 'typing reaches strangers', typing, /typing does not reach a stranger/, { told: (event, payload, _, { everybody }) => { if (event !== 'typing') return [[event, payload]]; everybody.emit(event, payload); return [] } }],
  ['typing', 'typing is stored', typing, /takes no rev/, { emitted: (event, data, socket, { call }) => { if (event === 'typing' && data.on === true) void call('POST', '/api/sync/push', socket.handshake.auth['token'], { operations: [{ opId: '1', type: 'send', conversationId: data.conversationId, content: 'typing' }] }) } }],

  ['presence', 'nobody hears who went', presence, /somebody went/, dropped('presence', ({ status }) => status === 'offline')],
  [6, 'presence is told to all', presence, /who did not subscribe/, { told: (event, payload, _, { everybody }) => { if (event === 'presence') everybody.emit(event, payload); return [[event, payload]] } }],
  [6, 'presence of anybody is answered', presence, /shares no conversation/, acknowledged('subscribePresence', (ack, { userIds }) => ({ ...ack, presence: userIds.map((userId: string) => ack.presence.find((one: Any) => one.userId === userId) ?? { userId, status: 'offline', lastActiveAt: null }) }))],

  [2, 'another body under an id is taken', answersToRetries, /another body is 409/, lax(/POST \/api\/messages$/, 409, { duplicate: true })],
  [2, 'a retry is not called one', answersToRetries, /is 200 and a duplicate/, body(/POST \/api\/messages$/, ({ duplicate, ...given }) => given)],
  ['messages', 'a conflict does not say what is stored', answersToRetries, /409 CONFLICT with what is stored/, body(/PUT \/api\/messages/, ({ current, ...given }) => given)],
  ['messages', 'a tombstone keeps its content', answersToRetries, /nothing of the content/, synced(one => ({ ...one, changes: one.changes.map((change: Any) => change.message?.isDeleted === true ? { ...change, message: { ...change.message, message: 'once' } } : change) }))],
  ['messages', 'a reaction again takes a rev', answersToRetries, /a reaction again takes no rev/, body(/PUT \/api\/messages\/\w+\/reactions/, given => ({ ...given, rev: given.rev + 1 }))],
  ['messages', 'a failure stops all that follows', answersToRetries, /stops the later ones on the same message/, body(/POST \/api\/sync\/push/, given => ({ ...given, results: given.results?.map((result: Any, index: number) => index < 2 ? result : { ...result, success: false, code: 'PREVIOUS_FAILED' }) }))],
  ['messages', 'content is trimmed', contents, /spaces around.*is delivered as given/, { told: (event, payload) => [[event, event === 'directMessage' ? { ...payload, message: payload.message.trim() } : payload]] }],
  ['messages', 'content of any length is taken', contents, /4,001 characters is refused over REST/, lax(/POST \/api\/messages$/, 400)],

  ['blocks', 'who is blocked is heard', blocks, /refused over REST/, lax(/POST \/api\/messages$/, 403)],
  ['blocks', 'a hidden rev is left out', blocks, /gets a noop of that rev/, dropped('noop')],
  ['blocks', 'the end of a block brings nothing back', blocks, /the end of a block widens the view/, synced(({ reset, ...one }) => one)],
  [5, 'the own devices do not hear of a block', blocks, /own devices hear of a block/, dropped('conversationChanged', ({ conversationId }) => conversationId === 'self')],

  ['rooms', 'a member may change the settings', roles, /a member may not change the settings/, lax(/PATCH \/api\/rooms/, 403)],
  ['rooms', 'changed settings are not told', roles, /told live/, dropped('conversationChanged', ({ change }) => change.kind === 'meta')],
  [6, 'a private room answers strangers by 403', roles, /answers like none/, { response: (request, response) => response.status === 404 && /GET \/api\/rooms\/(?!f{24})/.test(`${request.method} ${request.path}`) ? json(response, { success: false, code: 'NOT_ALLOWED', message: 'no' }, 403) : response }],
  [6, 'who was removed hears on', roles, /hears nothing more/, { told: (event, payload, _, { everybody }) => { if (event === 'roomMessage') everybody.emit(event, payload); return [[event, payload]] } }],
  ['rooms', 'a ban does not keep out', publicRooms, /does not join again over a socket/, acknowledged('joinRoom', () => ({ success: true }))],
  ['rooms', 'leaveRoom ends nothing', publicRooms, /a socket that left gets nothing live/, { emitted: (event, _, socket) => { if (event === 'leaveRoom') socket.data.left = true }, told: (event, payload, _, { everybody }) => { if (event === 'roomMessage') everybody.emit(event, payload); return [] } }],

  ['rooms', 'an abandoned room belongs to nobody', abandonedRooms, /can be entered/, body(/PUT \/api\/rooms\/\w+\/members\/me/, given => ({ ...given, member: { ...given.member, role: 'member' } }))],
  [6, 'the next owner opens the past of an abandoned room', abandonedRooms, /stays closed, in a sync/, synced(one => one.changes.some((change: Any) => change.message?.message === 'of the new owner') ? { ...one, changes: [...one.changes, { kind: 'message', message: { message: 'before all left' } }] } : one)],
  [6, 'who comes later sees what was before', views, /what came since, in the history/, body(/GET \/api\/rooms\/\w+\/messages/, given => ({ ...given, messages: [{ message: 'one' }, ...given.messages ?? []] }))],
  ['views', 'a widened view is no reset', views, /a widened view comes as a reset/, synced(({ reset, ...one }) => one)],
  ['views', 'a removal is not in the own log', comingBack, /the removal is in the own log/, synced(one => ({ ...one, changes: one.changes.filter((change: Any) => change.role !== null) }))],
  ['views', 'the cursor of who was removed is refused', comingBack, /played to its end/, { response: (request, response, given) => request.path === '/api/sync' && request.body.includes('room_') && given?.conversations?.some((one: Any) => one.changes.some((change: Any) => change.role === null)) === true ? json(response, { success: false, code: 'BAD_CURSOR', message: 'no' }, 400) : response }],

  ['reads', 'one\'s own messages are counted', reads, /messages of the other are counted/, body(/GET \/api\/messages\/unread-count/, given => ({ ...given, conversations: Object.fromEntries(Object.entries(given.conversations as Record<string, number>).map(([id, n]) => [id, n + 1])) }))],
  ['reads', 'the other is not told of a read', reads, /the other is told of a read/, dropped('messagesRead')],
  [5, 'the reader\'s devices are not told of a read', reads, /the own read is in the own log/, synced(one => ({ ...one, changes: one.changes.filter(({ kind }: Any) => kind !== 'read') }))],
  ['reads', 'a read position goes back', reads, /does not go back/, synced(one => ({ ...one, reads: one.reads.map((read: Any) => ({ ...read, seq: read.seq - 1 })) }))],
  ['reads', 'read messages do not come again by time', reads, /come again by time/, body(/POST \/api\/messages\/sync-conversation/, given => ({ ...given, messages: given.messages.filter(({ isRead }: Any) => isRead !== true) }))],
  ['reads', 'a count ends at 500', manyUnread, /a thousand, and that it is capped/, body(/GET \/api\/messages\/unread-count/, given => ({ ...given, conversations: Object.fromEntries(Object.entries(given.conversations as Record<string, number>).map(([id, n]) => [id, Math.min(n, 500)])) }))],

  ['rooms', 'a search of rooms is ignored', findableRooms, /found by name/, {
    request: request => ({ ...request, path: request.path.replace(/search=[^&]*&/, '') })
  }],
  ['rooms', 'a topic is not told', findableRooms, /told of them live/,
    dropped('conversationChanged', ({ change }) => change.kind === 'meta')],
  ['people', 'a membership does not say who', people, /names its user live/, {
    told: (event, payload) => [[event, event === 'conversationChanged' ? withoutUser(payload) : payload]]
  }],
  ['people', 'nobody hears of a new name', people, /told of a new name/, dropped('userChanged')],
  ['people', 'who reacted comes twice', people, /in pages, each once/, {
    request: request => ({ ...request, path: request.path.replace(/&cursor=\w+/, '') })
  }],
  ['conversations', 'mentions are not counted', conversations, /mentions are counted/,
    body(/GET \/api\/conversations\/\w+$/, ({ conversation, ...given }) => ({
      ...given, conversation: { ...conversation, mentionCount: 0 }
    }))],
  [6, 'a stranger is answered 403', conversations, /a stranger gets 404/, status(/GET \/api\/conversations/, 404, 403)],
  ['conversations', 'settings tell another rev', ownSettings, /the rev that is told/,
    body(/PATCH \/api\/conversations/, given => ({ ...given, rev: given.rev - 1 }))],
  ['conversations', 'only is ignored', scopes, /the own log alone/, {
    request: request => ({ ...request, body: request.body.replace('"only":true', '"only":false') })
  }],
  ['conversations', 'the names of a socket are ignored', namedLive, /and nothing else/, {
    told: (event, payload) => {
      const isFirst = event === 'roomMessage' && payload.message === 'first'
      return [...isFirst ? [[event, { ...payload, conversationId: 'room_x' }] as [string, Any]] : [], [event, payload]]
    }
  }],
  ['heads', 'there is no 304', heads, /a 304 has no body/, { request: request => ({ ...request, headers: { ...request.headers, 'if-none-match': '"x"' } }) }],
  ['heads', 'it is 304 for ever', heads, /a message changes the ETag/, { response: (request, response) => request.headers['if-none-match']?.startsWith('"') === true && request.headers['if-none-match'] !== '"other"' ? { ...response, status: 304, text: '' } : response }],
  ['heads', 'a foreign cursor is taken for none', heads, /BAD_CURSOR/, lax(/POST \/api\/sync$/, 400, { conversations: [], hasMore: false })],
  ['polls', 'nothing is held', polls, /woken by a message over a socket/, { request: request => ({ ...request, body: request.body.replace(/"waitMs":\d{5}/, '"waitMs":0') }) }],
  ['polls', 'the own log wakes nobody', polls, /woken by an own read/, body(/POST \/api\/sync$/, (given, { body }) => body.includes('waitMs') ? { ...given, conversations: given.conversations?.filter(({ conversationId }: Any) => conversationId !== 'self') } : given)],
  ['polls', 'a poll without a change is not held', polls, /held for its time/, { request: request => ({ ...request, body: request.body.replace('"waitMs":2500', '"waitMs":0') }) }],
  ['polls', 'any waitMs is taken', polls, /waitMs 25001 is refused/, lax(/POST \/api\/sync$/, 400, { conversations: [], hasMore: false })],

  ['junk', 'a list ends in 500', junk, /with a list as its body/, { response: (request, response) => request.body === '[]' ? json(response, { success: false, code: 'INTERNAL', message: 'x' }, 500) : response }],
  ['junk', 'a failure has no code', junk, /gets a coded answer/, { response: (_, response, given) => response.status === 400 ? json(response, { ...given, code: undefined }) : response }],
  ['junk', 'a malformed event ends the connection', junkEvents, /is answered with a code|leaves the connection alone/, { emitted: (event, data, socket) => { if (event === 'markRead' && Array.isArray(data)) { socket.disconnect(true); return true } } }],
  ['junk', 'a failure without a callback is silent', junkEvents, /comes as an error/, dropped('error')],
  ['junk', 'a failure without a callback has another text', junkEvents, /comes as an error/, { told: (event, payload) => [[event, event === 'error' ? { ...payload, message: payload.error } : payload]] }],
  ['junk', 'an unknown event is not answered with a failure', junkEvents, /the unknown event/, { ack: (event, _, ack) => event === 'nothing' ? { success: true } : ack }],
  ['limits', 'too much has another status', limits, /too large is 413/, status(/POST \/api\/messages$/, 413, 507)],
  ['limits', 'a 429 does not say when', limits, /a 429 says when/, { response: (_, { headers: { 'retry-after': _gone, ...headers }, ...response }) => ({ ...response, headers }) }],
  ['limits', 'a limit does not hold over a socket', limits, /holds over a socket/, acknowledged('sendDirectMessage', () => ({ success: true }))],
  ['documents', 'a route is not documented', documents, /every route of the contract/, body(/documentation\/json/, given => { delete given.paths['/api/sync/heads']; return given })],
  ['documents', 'the server is not ready', documents, /ready is 200/, status(/GET \/health\/ready/, 200, 503)]
]

function withoutUser ({ change, ...payload }: Any): Any {
  return { ...payload, change: { ...change, user: undefined } }
}

function claims (token: string): string {
  return (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { id: string }).id
}
