import type { Request } from '../network/http.ts'
import type { Parts } from '../parts.ts'
import type { WireOwnUser } from '../pure/wire.ts'
import { toOwnUser, toPerson } from '../shared.ts'
import type { OwnUser } from '../types.ts'
import type { UserCalls, WirePage } from './users.ts'

export function userCalls ({ core, people, files, onMe }: Parts): UserCalls {
  const change = async (method: string, path: string, request: Request): Promise<OwnUser> => {
    const { user } = await core.http.call<{ user: WireOwnUser }>(method, path, request)
    const own = toOwnUser(user)
    await people.learn([toPerson(user)])
    await onMe(own)
    return own
  }
  return {
    search: async (text, { limit, cursor, signal } = {}) => {
      const request = { query: { search: text, limit, cursor }, signal }
      const page = await core.http.call<WirePage>('GET', '/api/users', request)
      const items = page.users.map(toPerson)
      await people.learn(items)
      return { items, cursor: page.cursor ?? undefined }
    },
    updateMe: async (input, { signal } = {}) => await change('PATCH', '/api/users/me', { body: input, signal }),
    setAvatar: async (file, { signal } = {}) => {
      const fileId = file === null ? null : (await files.upload(file, { signal })).id
      return await change('PUT', '/api/users/me/avatar', { body: { fileId }, signal })
    },
    block: async (id, on, { signal } = {}) => {
      await core.http.call(on ? 'PUT' : 'DELETE', `/api/users/${id}/block`, { signal })
    }
  }
}
