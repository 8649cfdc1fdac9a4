import { TidelogError } from './errors.ts'
import type { Engine, Delta } from './engine/engine.ts'
import type { Http } from './network/http.ts'
import { type Row, directId } from './pure/state.ts'
import { Computed, Listeners } from './readable.ts'
import type { Clock, Events, Failure } from './types.ts'

/** Where somebody's change of what is shown comes from. */
export type Changed = Delta | 'all'

/** What the parts of the API share. The engine changes with the user who is signed in. */
export class Core {
  readonly http: Http
  readonly clock: Clock
  readonly random: () => number
  engine: Engine | undefined
  readonly changed = new Listeners<Changed>()
  private readonly events: { [E in keyof Events]: Listeners<Events[E]> } = {
    message: new Listeners(), failed: new Listeners(), removed: new Listeners(), error: new Listeners()
  }

  /** Asks whoever talks to the server, this tab or another one. @throws TidelogError OFFLINE if nobody does */
  remotely: Remotely = async () => { throw new TidelogError({ code: 'NO_SESSION' }) }

  constructor ({ http, clock, random }: { http: Http, clock: Clock, random: () => number }) {
    this.http = http
    this.clock = clock
    this.random = random
  }

  /** @throws TidelogError NO_SESSION */
  get signedIn (): Engine {
    if (this.engine === undefined) throw new TidelogError({ code: 'NO_SESSION' })
    return this.engine
  }

  get userId (): string | undefined {
    return this.engine?.userId
  }

  /** State that is worked out of what is held. One that is another object each time tells of every change: see `memo`. */
  computed<T> (compute: () => T, onFirst?: () => void): Computed<T> {
    const state = new Computed(compute, onFirst)
    this.changed.add(() => { state.invalidate() })
    return state
  }

  emit<E extends keyof Events> (event: E, payload: Events[E]): void {
    this.events[event].call(payload)
  }

  on<E extends keyof Events> (event: E, fn: (payload: Events[E]) => void): () => void {
    return this.events[event].add(fn)
  }

  fail (failure: Failure): void {
    this.emit('error', failure)
  }

  directId (userId: string): string {
    const { userId: me } = this.signedIn
    return directId(me, userId)
  }
}

/** What only the tab that leads does; the others ask it. */
export interface Remote {
  /** Sends an event, if there is a socket. */
  tell: (event: string, data: unknown) => Promise<void>
  /** Tries to connect now, if it does not wait for a time that the server named. */
  hurry: () => Promise<void>
  /** Fetches the page of messages before a seq, and stores it. @throws TidelogError */
  loadHistory: (conversationId: string, before: number, limit: number, signal?: AbortSignal) => Promise<void>
  /** The unread messages are counted from here. */
  markedRead: (conversationId: string, seq: number) => Promise<void>
  /** Stores the pinned messages of a conversation, so that they are there without a connection. */
  keepPins: (conversationId: string, rows: readonly Row[]) => Promise<void>
  /** Who is online, now and from now on. @throws TidelogError OFFLINE */
  presence: (userIds: readonly string[]) => Promise<unknown>
  sync: (signal?: AbortSignal) => Promise<void>
}

export type Remotely =
  <M extends keyof Remote>(method: M, ...given: Parameters<Remote[M]>) => ReturnType<Remote[M]> | Promise<never>
