import type { Parts } from '../parts.ts'
import type { WireOwnUser } from '../pure/wire.ts'
import { toOwnUser } from '../shared.ts'
import type { Account } from '../types.ts'

interface WireSession { _id: string, createdAt: string, lastUsedAt: string, client: string, current: boolean }

export function accountApi ({ core: { http }, signOut }: Parts): Account {
  return {
    me: async ({ signal } = {}) => {
      const { user } = await http.call<{ user: WireOwnUser }>('GET', '/api/auth/me', { signal })
      return toOwnUser(user)
    },
    sessions: async ({ signal } = {}) => {
      const { sessions } = await http.call<{ sessions: WireSession[] }>('GET', '/api/auth/sessions', { signal })
      return sessions.map(({ _id, createdAt, lastUsedAt, client, current }) =>
        ({ id: _id, createdAt: Date.parse(createdAt), lastUsedAt: Date.parse(lastUsedAt), client, current }))
    },
    endSession: async (id, { signal } = {}) => { await http.call('DELETE', `/api/auth/sessions/${id}`, { signal }) },
    changePassword: async (body, { signal } = {}) => {
      await http.call('POST', '/api/auth/password', { body, signal })
    },
    erase: async (body, { signal } = {}) => {
      await http.call('DELETE', '/api/users/me', { body, signal })
      await signOut()
    }
  }
}
