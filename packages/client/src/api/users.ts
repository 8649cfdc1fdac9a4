import type { Core } from '../core.ts'
import { toPerson } from '../pure/normalize.ts'
import { type Person, emptySelf } from '../pure/state.ts'
import type { WireUser } from '../pure/wire.ts'
import type { Readable, User, Users } from '../types.ts'
import { lazily } from './lazily.ts'

export interface WirePage { users: WireUser[], cursor: string | null }

export type UserCalls = Pick<Users, 'search' | 'updateMe' | 'setAvatar' | 'block'>

/** Users in one question. */
const idsMax = 100

/** Names of users: those that messages bring, and those that are asked for. */
export class People {
  private readonly core: Core
  private readonly states = new Map<string, Readable<User | undefined>>()
  private readonly asking = new Set<string>()

  constructor (core: Core) {
    this.core = core
  }

  get (id: string): Readable<User | undefined> {
    const state = this.states.get(id) ?? this.core.computed<User | undefined>(() => this.core.engine?.users.get(id), () => { this.ask(id) })
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

/** @param load what asks the server; loaded when it is used */
export function usersApi (core: Core, people: People, load: () => Promise<UserCalls>): Users {
  return {
    blocked: core.computed(() => core.engine?.self.blocked ?? emptySelf.blocked),
    get: id => people.get(id),
    ...lazily<UserCalls>({ search: true, updateMe: true, setAvatar: true, block: true }, load)
  }
}
