import type { Core } from '../core.ts'
import type { Request } from '../network/http.ts'
import { toPerson } from '../pure/normalize.ts'
import type { Person } from '../pure/state.ts'
import type { WireUser } from '../pure/wire.ts'
import { Computed } from '../readable.ts'
import type { Files, OwnUser, Readable, User, Users } from '../types.ts'

export interface WireOwnUser extends WireUser { email: string | null, isAdmin: boolean }
interface WirePage { users: WireUser[], cursor: string | null }

export function toOwnUser (user: WireUser & Partial<WireOwnUser>): OwnUser {
  const { email, isAdmin } = user
  return { ...toPerson(user), ...(email === undefined ? {} : { email }), ...(isAdmin === undefined ? {} : { isAdmin }) }
}

/** Users in one question. */
const idsMax = 100

/** Names of users: those that messages bring, and those that are asked for. */
export class People {
  private readonly core: Core
  private readonly states = new Map<string, Computed<User | undefined>>()
  private readonly asking = new Set<string>()

  constructor (core: Core) {
    this.core = core
    core.changed.add(changed => {
      if (changed === 'all') for (const state of this.states.values()) state.invalidate()
      else for (const { id } of changed.batch.users ?? []) this.states.get(id)?.invalidate()
    })
  }

  get (id: string): Readable<User | undefined> {
    const state = this.states.get(id) ?? new Computed<User | undefined>(() => this.core.engine?.users.get(id), () => { this.ask(id) })
    this.states.set(id, state)
    return state
  }

  /** Those that a page shows are asked for together. */
  private ask (id: string): void {
    if (this.core.engine?.users.has(id) !== false || this.asking.has(id)) return
    if (this.asking.size === 0) queueMicrotask(() => { void this.askAll([...this.asking]) })
    this.asking.add(id)
  }

  private async askAll (ids: string[]): Promise<void> {
    this.asking.clear()
    for (let start = 0; start < ids.length; start += idsMax) {
      try {
        const { users } = await this.core.http.call<WirePage>('GET', '/api/users', { query: { ids: ids.slice(start, start + idsMax).join() } })
        await this.learn(users.map(toPerson))
      } catch {
        // Not now: whoever subscribes next asks again.
        return
      }
    }
  }

  /** What changed of somebody; only new names are stored. */
  async learn (people: readonly Person[]): Promise<void> {
    const { engine } = this.core
    if (engine === undefined) return
    const news = people.filter(person => {
      const held = engine.users.get(person.id)
      return held === undefined || held.fullName !== person.fullName || held.username !== person.username || held.picture !== person.picture
    })
    if (news.length > 0) await engine.write(() => engine.commit({ users: news }))
  }
}

export function usersApi (
  core: Core, people: People, files: Files, onMe: (user: OwnUser) => Promise<void>
): Users {
  const blocked = new Computed<readonly string[]>(() => core.engine?.self.blocked ?? [])
  core.changed.add(changed => { if (changed === 'all' || changed.batch.self !== undefined) blocked.invalidate() })
  const change = async (method: string, path: string, request: Request): Promise<OwnUser> => {
    const { user } = await core.http.call<{ user: WireOwnUser }>(method, path, request)
    const own = toOwnUser(user)
    await people.learn([toPerson(user)])
    await onMe(own)
    return own
  }
  return {
    blocked,
    get: id => people.get(id),
    search: async (text, { limit, cursor, signal } = {}) => {
      const page = await core.http.call<WirePage>('GET', '/api/users', { query: { search: text, limit, cursor }, signal })
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
