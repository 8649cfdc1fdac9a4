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

  async register (body: RegisterInput, options: CallOptions = {}): Promise<OwnUser> {
    return await this.begin('/api/auth/register', body, options)
  }

  async login (body: LoginInput, options: CallOptions = {}): Promise<OwnUser> {
    return await this.begin('/api/auth/login', body, options)
  }

  private async begin (path: string, body: unknown, { signal }: CallOptions): Promise<OwnUser> {
    const grant = await this.options.core.http.call<GrantBody>('POST', path, { body, signal, withToken: false })
    const user = toOwnUser(grant.user)
    await this.tokens.store({ user, ...this.tokens.lifeOf(grant) })
    return user
  }

  /** The stored session, and with tokens of a host application the one that these name. */
  async resume (): Promise<OwnUser | null> {
    const stored = await this.tokens.load()
    this.show(stored)
    if (this.options.auth === undefined) return stored?.user ?? null
    try {
      const { id } = claimsOf(await this.tokens.token())
      if (stored !== null && (id === undefined || id === stored.user.id)) return stored.user
    } catch (error) {
      if (stored !== null) return stored.user
      throw error
    }
    const { user } = await this.options.core.http.call<{ user: WireOwnUser }>('GET', '/api/auth/me')
    const own = toOwnUser(user)
    await this.tokens.store({ user: own })
    return own
  }

  /** What another tab has stored. */
  async reload (): Promise<OwnUser | undefined> {
    const stored = await this.tokens.load()
    this.show(stored)
    return stored?.user
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
    const { current } = this.tokens
    if (current !== null) await this.tokens.store({ ...current, user })
  }
}
