import { TidelogError } from '../errors.ts'
import type { Storage, StoredSession } from '../storage/storage.ts'
import type { Turns } from '../turns.ts'
import type { Clock, OwnUser } from '../types.ts'

/** A new pair of tokens, as the server gives it. */
export interface Grant {
  token: string
  refreshToken: string
  expiresAt: string
}

export interface TokenOptions {
  storage: Storage
  clock: Clock
  getToken?: ((stale?: boolean) => Promise<string>) | undefined
  /** One at a time over all tabs. */
  exclusively: Turns
  refresh: (refreshToken: string) => Promise<Grant>
  /** The session was changed: here, or it was found changed in the storage. */
  onSession: (session: StoredSession | null) => void
}

/** Renewed when so much of its life is over, so that no call has to wait for it. */
const renewAt = 0.8

/**
 * The tokens of the session. One refresh is under way at a time, over all tabs; what another tab has stored is taken
 * instead. After a lost answer the same refresh token is sent again: it stays good until its successor is used.
 */
export class Tokens {
  private readonly options: TokenOptions
  private session: StoredSession | null = null
  private renewing: Promise<string> | undefined
  /** By the host application. */
  private given: string | undefined

  constructor (options: TokenOptions) {
    this.options = options
  }

  /** Takes over what is stored. */
  take (session: StoredSession | null): void {
    if (session?.user.id !== this.session?.user.id) this.renewing = undefined
    this.session = session
  }

  async store (session: StoredSession | null): Promise<void> {
    this.take(session)
    this.given = undefined
    await this.options.storage.setSession(session)
    this.options.onSession(session)
  }

  /** The user is called otherwise; nothing, if somebody else is signed in by now. */
  async rename (user: OwnUser): Promise<void> {
    const { exclusively, storage } = this.options
    await exclusively(async () => {
      const stored = await storage.session()
      if (stored?.user.id === user.id && this.session?.user.id === user.id) await this.store({ ...stored, user })
    })
  }

  /** @throws TidelogError NO_SESSION if nobody is signed in, or the host application has another user by now */
  async token (): Promise<string> {
    const { clock, getToken } = this.options
    if (getToken !== undefined) {
      const { given } = this
      return given !== undefined && this.isOurs(given) ? given : this.ours(await this.ask(false))
    }
    const { token, issuedAt = 0, expiresAt = Infinity, expired } = this.session ?? {}
    if (token === undefined) throw new TidelogError({ code: 'NO_SESSION' })
    if (expired === true) throw expiry()
    const now = clock.now()
    if (now >= expiresAt) return await this.renew(token)
    if (now >= issuedAt + (expiresAt - issuedAt) * renewAt) this.renew(token).catch(() => {})
    return token
  }

  /** Another token than the refused one, of the same user: what one has begun never goes on in the name of another. */
  async renew (refused: string): Promise<string> {
    this.ours(refused)
    const renewing = this.renewing ?? this.newToken(refused).finally(() => { if (this.renewing === renewing) this.renewing = undefined })
    this.renewing = renewing
    return await renewing
  }

  private async newToken (refused: string): Promise<string> {
    if (this.options.getToken !== undefined) return this.ours(await this.ask(true))
    return await this.options.exclusively(() => this.refresh(refused))
  }

  private isOurs (token: string): boolean {
    const { id } = claimsOf(token)
    return id === undefined || this.session === null || id === this.session.user.id
  }

  private ours (token: string): string {
    if (!this.isOurs(token)) throw new TidelogError({ code: 'NO_SESSION' })
    return token
  }

  /** The host application gives one, whoever its user is now. */
  async ask (stale: boolean): Promise<string> {
    try {
      this.given = await this.options.getToken!(stale)
      return this.given
    } catch (cause) {
      throw cause instanceof TidelogError ? cause : new TidelogError({ code: 'INVALID_TOKEN', message: 'The host application gave no token', retryable: true, cause })
    }
  }

  private async refresh (refused: string): Promise<string> {
    const before = await this.stored()
    if (before.token !== undefined && before.token !== refused && before.expired !== true) return this.adopt(before, before.token)
    let grant: Grant | undefined
    try {
      if (before.refreshToken !== undefined) grant = await this.options.refresh(before.refreshToken)
    } catch (error) {
      if (!(error instanceof TidelogError) || error.status !== 401) throw error
    }
    // Meanwhile the user may have signed out, or in again.
    const now = await this.stored()
    if (now.refreshToken !== before.refreshToken && now.token !== undefined) return this.adopt(now, now.token)
    if (grant !== undefined) {
      await this.store({ user: now.user, ...this.lifeOf(grant) })
      return grant.token
    }
    // What is stored of the user stays.
    await this.store({ ...now, expired: true })
    throw expiry()
  }

  private adopt (session: StoredSession, token: string): string {
    this.take(session)
    this.options.onSession(session)
    return token
  }

  /** @throws TidelogError NO_SESSION if it is nobody's, or another user's */
  private async stored (): Promise<StoredSession> {
    const stored = await this.options.storage.session()
    if (stored === null || stored.user.id !== this.session?.user.id) throw new TidelogError({ code: 'NO_SESSION' })
    return stored
  }

  /** By this device's clock, which may be wrong: a token tells how long it lives. */
  lifeOf ({ token, refreshToken, expiresAt }: Grant): Omit<StoredSession, 'user'> {
    const now = this.options.clock.now()
    const { iat = NaN, exp = NaN } = claimsOf(token)
    const lifeMs = Number.isNaN(exp - iat) ? Math.max(0, Date.parse(expiresAt) - now) : (exp - iat) * 1_000
    return { token, refreshToken, issuedAt: now, expiresAt: now + lifeMs }
  }
}

function expiry (): TidelogError {
  return new TidelogError({ code: 'INVALID_REFRESH_TOKEN', message: 'The session has expired', status: 401 })
}

/** What a token says; nothing, if it is none of the server's. */
export function claimsOf (token: string): { id?: string, iat?: number, exp?: number } {
  try {
    return JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as object
  } catch {
    return {}
  }
}
