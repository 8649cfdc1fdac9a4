import type { Parts } from '../parts.ts'
import type { WireUser } from '../pure/wire.ts'
import { toPerson } from '../shared.ts'
import type { Role, Room, Rooms } from '../types.ts'
import { awaitConversation } from './await-conversation.ts'

interface WireRoom {
  roomId: string
  conversationId: string
  name: string
  isPrivate: boolean
  history: 'all' | 'joined'
  topic: string | null
  description: string | null
  picture: string | null
  postRole?: 'member' | 'moderator'
  slowModeS?: number
  systemMessages?: boolean
  memberCount: number
  role: Role | null
  createdAt: string
}
interface WireMember { user: WireUser, role: Role, joinedAt: string }

function toRoom ({ roomId, role, createdAt, ...rest }: WireRoom): Room {
  const { conversationId, name, isPrivate, history, topic, description, picture, memberCount } = rest
  const { postRole = 'member', slowModeS = 0, systemMessages = false } = rest
  return {
    id: roomId,
    conversationId,
    name,
    isPrivate,
    history,
    topic,
    description,
    picture,
    postRole,
    slowModeS,
    systemMessages,
    memberCount,
    role: role ?? undefined,
    createdAt: Date.parse(createdAt)
  }
}

/** Rooms are changed on the server at once, not by the outbox: who may do what is known there. */
export function roomsApi ({ core, people, files, conversation, sync }: Parts): Rooms {
  const path = (roomId: string, rest = '') => `/api/rooms/${encodeURIComponent(roomId)}${rest}`
  const { http } = core
  const waitForId = (id: string, signal?: AbortSignal) => awaitConversation(core, id, () => sync({ signal }), signal)
  const waitFor = async (wire: WireRoom, signal?: AbortSignal): Promise<Room> => {
    await waitForId(wire.conversationId, signal)
    return toRoom(wire)
  }
  return {
    list: async ({ search, order, limit, cursor, signal } = {}) => {
      const page = await http.call<{ rooms: WireRoom[], cursor: string | null }>('GET', '/api/rooms', { query: { search, order, limit, cursor }, signal })
      return { items: page.rooms.map(toRoom), cursor: page.cursor ?? undefined }
    },
    get: async (roomId, { signal } = {}) => toRoom((await http.call<{ room: WireRoom }>('GET', path(roomId), { signal })).room),
    create: async (body, { signal } = {}) => await waitFor((await http.call<{ room: WireRoom }>('POST', '/api/rooms', { body, signal })).room, signal),
    update: async (roomId, body, { signal } = {}) => toRoom((await http.call<{ room: WireRoom }>('PATCH', path(roomId), { body, signal })).room),
    setPicture: async (roomId, file, { signal } = {}) => {
      const picture = file === null ? null : { fileId: (await files.upload(file, { signal })).id }
      return toRoom((await http.call<{ room: WireRoom }>('PATCH', path(roomId), { body: { picture }, signal })).room)
    },
    delete: async (roomId, { signal } = {}) => { await http.call('DELETE', path(roomId), { signal }) },
    join: async (roomId, { signal } = {}) => {
      await http.call('PUT', path(roomId, '/members/me'), { signal })
      const id = `room_${roomId}`
      await waitForId(id, signal)
      return conversation(id)
    },
    leave: async (roomId, { signal } = {}) => { await http.call('DELETE', path(roomId, '/members/me'), { signal }) },
    members: async (roomId, { limit, cursor, signal } = {}) => {
      const page = await http.call<{ members: WireMember[], cursor: string | null }>('GET', path(roomId, '/members'), { query: { limit, cursor }, signal })
      const items = page.members.map(({ user, role, joinedAt }) => ({ userId: user._id, user: toPerson(user), role, joinedAt: Date.parse(joinedAt) }))
      await people.learn(items.map(({ user }) => user))
      return { items, cursor: page.cursor ?? undefined }
    },
    setMember: async (roomId, userId, role, { signal } = {}) => {
      if (role === null) await http.call('DELETE', path(roomId, `/members/${userId}`), { signal })
      else await http.call('PUT', path(roomId, `/members/${userId}`), { body: { role }, signal })
    },
    bans: async (roomId, { limit, cursor, signal } = {}) => {
      const page = await http.call<{ users: WireUser[], cursor: string | null }>('GET', path(roomId, '/bans'), { query: { limit, cursor }, signal })
      return { items: page.users.map(toPerson), cursor: page.cursor ?? undefined }
    },
    ban: async (roomId, userId, on, { signal } = {}) => { await http.call(on ? 'PUT' : 'DELETE', path(roomId, `/bans/${userId}`), { signal }) }
  }
}
