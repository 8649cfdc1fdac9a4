import type { Core } from './core.ts'
import { TidelogError } from './errors.ts'
import { type Grant, Tokens, type TokenOptions, claimsOf } from './network/tokens.ts'
import { toOwnUser } from './pure/normalize.ts'
import type { WireOwnUser, WireUser } from './pure/wire.ts'
import { Value } from './readable.ts'
import type { StoredSession } from './storage/storage.ts'
import type { CallOptions, ClientOptions, LoginInput, OwnUser, RegisterInput, Session } from './types.ts'

type GrantBody = Grant & { user: WireUser }

export interface SessionOptions extends Pick<TokenOptions, 'storage' | 'exclusively'> {
  core: Core
  auth: ClientOptions['auth']
  /** Another session than before, or none. */
  onChange: () => void
}

/** Who comes, and what makes the calls theirs from then on. */
export interface Arrival {
  user: OwnUser
  take: () => Promise<void>
}

const logoutMs = 3_000

/** Who is signed in on this device. */
export class SessionState {
  readonly state = new Value<Session>({ state: 'signedOut' })
  readonly tokens: Tokens
  private readonly options: SessionOptions

  constructor (options: SessionOptions) {
    this.options = options
    const { core, storage, exclusively, auth } = options
    this.tokens = new Tokens({
      storage,
      exclusively,
      clock: core.clock,
      getToken: auth?.getToken,
      refresh: async refreshToken => await core.http.call<GrantBody>('POST', '/api/auth/refresh', { body: { refreshToken }, withToken: false }),
      onSession: session => {
        this.show(session)
        options.onChange()
      }
    })
  }

  private show (session: StoredSession | null): void {
    const state = session === null ? 'signedOut' : session.expired === true ? 'expired' : 'signedIn'
    const held = this.state.get()
    if (held.state === state && held.user === session?.user) return
    this.state.set({ state, user: session?.user })
  }

  async register (body: RegisterInput, options: CallOptions = {}): Promise<Arrival> {
    return await this.begin('/api/auth/register', body, options)
  }

  async login (body: LoginInput, options: CallOptions = {}): Promise<Arrival> {
    return await this.begin('/api/auth/login', body, options)
  }

  private async begin (path: string, body: unknown, { signal }: CallOptions): Promise<Arrival> {
    const grant = await this.options.core.http.call<GrantBody>('POST', path, { body, signal, withToken: false })
    return this.newcomer({ user: toOwnUser(grant.user), ...this.tokens.lifeOf(grant) })
  }

  private newcomer (session: StoredSession): Arrival {
    return { user: session.user, take: () => this.tokens.store(session) }
  }

  /** The stored session, and with tokens of a host application the one that these name. */
  async find (): Promise<Arrival | undefined> {
    const stored = await this.stored()
    if (this.options.auth === undefined) return stored
    let token: string
    try {
      token = await this.tokens.ask(false)
    } catch (error) {
      if (stored !== undefined) return stored
      throw error
    }
    const { id } = claimsOf(token)
    if (stored !== undefined && (id === undefined || id === stored.user.id)) return stored
    const { user } = await this.options.core.http.call<{ user: WireOwnUser }>(
      'GET', '/api/auth/me', { withToken: false, headers: { authorization: `Bearer ${token}` } }
    )
    return this.newcomer({ user: toOwnUser(user) })
  }

  /** Here or by another tab. */
  async stored (): Promise<Arrival | undefined> {
    const stored = await this.options.storage.session()
    return stored === null ? undefined : { user: stored.user, take: async () => { this.take(stored) } }
  }

  /** Nobody's session is stored any more. */
  leave (): void {
    this.take(null)
  }

  private take (session: StoredSession | null): void {
    this.tokens.take(session)
    this.show(session)
  }

  /** The server may not hear of it: there the session ends with its tokens. */
  async end (everywhere: boolean): Promise<void> {
    const { core } = this.options
    try {
      if (this.options.auth === undefined) await core.http.call('POST', '/api/auth/logout', { body: { everywhere }, timeoutMs: logoutMs })
    } catch (error) {
      if (everywhere || !(error instanceof TidelogError)) throw error
    }
    await this.tokens.store(null)
  }

  async changed (user: OwnUser): Promise<void> {
    await this.tokens.rename(user)
  }
}
