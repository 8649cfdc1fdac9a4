import { type Cast } from './cast.ts'

export interface Route {
  method: string
  path: string
  body: 'none' | 'optional' | 'required'
  /** Fields of the body. */
  fields: string[]
  /** The route needs no token. */
  open: boolean
}

/** The contract's routes, which every deployment has. */
const contractRoutes = [
  'GET /api/auth/me', 'POST /api/auth/logout', 'PATCH /api/admin/users/{}', 'POST /api/messages/sync-conversation', 'GET /api/messages/sync-status', 'POST /api/messages', 'GET /api/messages/conversations', 'GET /api/messages/{}', 'PATCH /api/messages/{}/read',
  'PATCH /api/messages/conversations/{}/read', 'GET /api/messages/unread-count', 'GET /api/messages/search', 'PUT /api/messages/{}', 'DELETE /api/messages/{}', 'PUT /api/messages/{}/reactions/{}', 'DELETE /api/messages/{}/reactions/{}',
  'POST /api/common-chat/message', 'GET /api/common-chat/messages', 'POST /api/rooms', 'GET /api/rooms', 'GET /api/rooms/{}', 'PATCH /api/rooms/{}', 'DELETE /api/rooms/{}', 'GET /api/rooms/{}/messages', 'POST /api/rooms/{}/messages',
  'GET /api/rooms/{}/members', 'PUT /api/rooms/{}/members/{}', 'DELETE /api/rooms/{}/members/{}', 'GET /api/users', 'GET /api/users/{}', 'PATCH /api/users/me', 'PUT /api/users/{}/block', 'DELETE /api/users/{}/block',
  'GET /api/messages/{}/reactions/{}', 'GET /api/conversations', 'GET /api/conversations/{}',
  'PATCH /api/conversations/{}', 'GET /api/conversations/{}/messages',
  'GET /api/conversations/{}/messages/{}', 'PATCH /api/conversations/{}/read',
  'POST /api/sync', 'GET /api/sync/heads', 'POST /api/sync/push'
]

const contractEvents = [
  'setupUser', 'sendDirectMessage', 'joinCommonChat', 'leaveCommonChat', 'sendCommonChatMessage', 'joinRoom', 'leaveRoom', 'sendRoomMessage', 'editMessage', 'deleteMessage', 'react', 'markRead', 'typing', 'subscribePresence', 'sync', 'push', 'refreshToken'
]

const told = [
  'userSetup', 'directMessage', 'joinedCommonChat', 'leftCommonChat', 'commonChatMessage', 'joinedRoom', 'leftRoom',
  'roomMessage', 'messageChanged', 'noop', 'heads', 'messagesRead', 'typing', 'presence', 'userChanged',
  'tokenExpiring', 'tokenExpired', 'error'
]

interface Operation { requestBody?: { required?: boolean, content?: Record<string, { schema?: { properties?: object } }> }, security?: unknown[] }

/** The routes that the deployment documents. */
export async function routesOf (cast: Cast): Promise<Route[]> {
  const { body } = await cast.open('GET', '/documentation/json')
  return Object.entries((body.paths ?? {}) as Record<string, Record<string, Operation>>).flatMap(([path, operations]) => Object.entries(operations).map(([method, { requestBody, security }]): Route => ({
    method: method.toUpperCase(),
    path,
    body: requestBody === undefined ? 'none' : requestBody.required === true ? 'required' : 'optional',
    fields: Object.keys(requestBody?.content?.['application/json']?.schema?.properties ?? {}),
    open: security?.length === 0
  })))
}

/** The contract's events, and any others that the deployment documents. */
export async function eventsOf (cast: Cast): Promise<string[]> {
  const messages = await documentedEvents(cast)
  return [...new Set([...contractEvents, ...messages.filter(name => !told.includes(name) && name !== 'conversationChanged' && name !== 'resync')])]
}

async function documentedEvents (cast: Cast): Promise<string[]> {
  const { body } = await cast.open('GET', '/documentation/asyncapi.json')
  const channels = Object.values((body.channels ?? {}) as Record<string, { messages?: object }>)
  return channels.flatMap(({ messages }) => Object.keys(messages ?? {}))
}

/** The deployment's own documents. */
export async function documents (cast: Cast): Promise<void> {
  const { sheet, rest } = cast
  sheet.is('/health/live is 200', (await rest.exchange('GET', '/health/live'))?.status, 200)
  sheet.is('/health/ready is 200', (await rest.exchange('GET', '/health/ready'))?.status, 200)
  sheet.is('the REST document is OpenAPI 3.1', (await cast.open('GET', '/documentation/json')).body, { openapi: /^3\.1/ })
  sheet.is('the socket document is AsyncAPI 3', (await cast.open('GET', '/documentation/asyncapi.json')).body, { asyncapi: /^3\./ })
  sheet.is('/documentation is a page', (await rest.exchange('GET', '/documentation/'))?.headers.get('content-type'), /text\/html/)
  const routes = (await routesOf(cast)).map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}').replace(/\/$/, '')}`)
  sheet.is('every route of the contract is documented', contractRoutes.filter(route => !routes.includes(route)), [])
  const events = await documentedEvents(cast)
  sheet.is('every event of the contract is documented', [...contractEvents, ...told].filter(event => !events.includes(event)), [])
  for (const [path, what] of [['/metrics', 'metrics'], ['/', 'the web client']] as const) {
    const answer = await rest.exchange('GET', path)
    if (answer?.status === 404) sheet.skip(`${what}: GET ${path} is 404`)
    else sheet.is(`${what} is there`, answer?.status, 200)
  }
  const users = await cast.call(cast.ada, 'GET', `/api/users/${cast.bob.id}`)
  sheet.is('another user is seen with the public fields', users, { status: 200, body: { user: { _id: cast.bob.id, fullName: /./, username: /./, email: undefined, password: undefined } } }, 6)
}
