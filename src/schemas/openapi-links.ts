/** The part of an OpenAPI document that links need. */
type Paths = Record<string, object | undefined>

interface Link {
  operationRef: string
  parameters?: Record<string, string>
  description?: string
}

/** An operation by method and path, as the document spells them. */
type Operation = `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`

const own = { description: 'With the `token` of this answer as bearer token.' }
const ofRoom = { parameters: { roomId: '$response.body#/room/roomId' } }
const ofMessage = { parameters: { id: '$response.body#/message/_id' } }
const withEmoji = { parameters: { ...ofMessage.parameters, emoji: '👍' } }

const afterGrant: Record<string, [Operation, Omit<Link, 'operationRef'>]> = {
  me: ['GET /api/auth/me', own],
  sessions: ['GET /api/auth/sessions', own],
  logout: ['POST /api/auth/logout', own]
}
const afterSend: typeof afterGrant = {
  edit: ['PUT /api/messages/{id}', ofMessage],
  delete: ['DELETE /api/messages/{id}', ofMessage],
  markRead: ['PATCH /api/messages/{id}/read', ofMessage],
  react: ['PUT /api/messages/{id}/reactions/{emoji}', withEmoji],
  takeReactionBack: ['DELETE /api/messages/{id}/reactions/{emoji}', withEmoji]
}

/** The operations that can follow each operation, with parameters taken from its response. */
const linksAfter: Record<Operation, typeof afterGrant> = {
  'POST /api/auth/register': afterGrant,
  'POST /api/auth/login': afterGrant,
  'POST /api/auth/refresh': afterGrant,
  'POST /api/rooms': {
    room: ['GET /api/rooms/{roomId}', ofRoom],
    change: ['PATCH /api/rooms/{roomId}', ofRoom],
    delete: ['DELETE /api/rooms/{roomId}', ofRoom],
    messages: ['GET /api/rooms/{roomId}/messages', ofRoom],
    send: ['POST /api/rooms/{roomId}/messages', ofRoom],
    members: ['GET /api/rooms/{roomId}/members', ofRoom]
  },
  'POST /api/messages': afterSend,
  'POST /api/rooms/{roomId}/messages': afterSend,
  'POST /api/common-chat/message': afterSend
}

/** Adds links to every success response. @throws if an operation of the table is not in the document */
export function addLinks (paths: Paths): void {
  for (const [from, links] of Object.entries(linksAfter)) {
    for (const [status, answer] of Object.entries(operation(paths, from).responses)) {
      if (!status.startsWith('2')) continue
      answer.links = Object.fromEntries(Object.entries(links).map(([name, [to, link]]) => [name, { operationRef: refOf(paths, to), ...link }]))
    }
  }
}

function operation (paths: Paths, name: string): { responses: Record<string, { links?: Record<string, Link> }> } {
  const [method = '', path = ''] = name.split(' ')
  const found = (paths[keyOf(paths, path)] as Record<string, ReturnType<typeof operation>> | undefined)?.[method.toLowerCase()]
  if (found === undefined) throw new Error(`The links name ${name}, which is not documented`)
  return found
}

function refOf (paths: Paths, name: string): string {
  operation(paths, name)
  const [method = '', path = ''] = name.split(' ')
  return `#/paths/${keyOf(paths, path).replaceAll('~', '~0').replaceAll('/', '~1')}/${method.toLowerCase()}`
}

/** The document has a trailing slash on routes at the root of a plugin. */
function keyOf (paths: Paths, path: string): string {
  return paths[path] === undefined ? `${path}/` : path
}
