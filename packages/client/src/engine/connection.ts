import { backoffMs, sleep } from '../clock.ts'
import { TidelogError, asTidelogError, toFailure } from '../errors.ts'
import type { Tokens } from '../network/tokens.ts'
import type { OpenSocket, SocketTransport } from '../network/transport.ts'
import type { Heads } from '../pure/follow.ts'
import { toLive } from '../pure/changes.ts'
import type { Clock, Connection } from '../types.ts'
import type { Syncer } from './syncer.ts'

export interface ConnectionOptions {
  url: string
  clock: Clock
  random: () => number
  socket: SocketTransport | undefined
  tokens: Tokens
  syncer: Syncer
  /** Calls of the server make sense again. */
  onUp: () => void
  onState: (state: Omit<Connection, 'leads'>) => void
  /** Every event that is not a change of a conversation. */
  onEvent: (name: string, payload: unknown) => void
  onSocket: (isOpen: boolean) => void
  /** Whose presence the socket tells. */
  watched: () => readonly string[]
}

type Mode = 'websocket' | 'polling' | 'rest'

const openMs = 15_000
/** One long poll; the server's limit. */
const pollMs = 25_000
/** How long long polls go on before a socket is tried again. */
const pollForMs = 300_000
/** The same for what worked first after an outage in which nothing did: so long, and a random part of it more. */
const guessMs = 20_000
/** A probe waits so long for its answer, and the next one begins no sooner. */
const probeMs = 5_000
/** A connection that lasted so long was a good one. */
const steadyMs = 10_000
/** Between two tries at least, however often it is woken. */
const wakeMs = 1_000

/**
 * The longest wait before the next try. In the first five minutes nobody waits more than ten seconds for a server that
 * is back; then no more than a thirtieth of the time that it was away, and never more than a minute.
 */
function waitMaxMs (outageMs: number): number {
  return Math.max(10_000, Math.min(60_000, outageMs / 30))
}

/**
 * Connects, and connects again: by websocket, by Socket.IO's polling, by long polls, whichever works. One try at a time,
 * each after a random part of a wait that grows: a server that comes back is not run over.
 */
export class ConnectionLoop {
  private readonly options: ConnectionOptions
  private readonly modes: Mode[]
  private mode = 0
  private stopped = new AbortController()
  private running: Promise<void> | undefined
  private attempt = 0
  private lastTry = 0
  private probedAt = 0
  private outageSince: number | undefined
  private skipWait: (() => void) | undefined
  private drop: ((error: unknown) => void) | undefined
  socket: OpenSocket | undefined
  /** Calls of the server make sense. */
  isOnline = false

  constructor (options: ConnectionOptions) {
    this.options = options
    this.modes = options.socket === undefined ? ['rest'] : ['websocket', 'polling', 'rest']
  }

  get transport (): 'socket' | 'poll' | 'none' {
    return this.socket !== undefined ? 'socket' : this.isOnline ? 'poll' : 'none'
  }

  start (): void {
    if (this.running !== undefined) return
    this.stopped = new AbortController()
    this.running = this.run(this.stopped.signal).finally(() => { this.running = undefined })
  }

  async stop (): Promise<void> {
    this.stopped.abort()
    this.skipWait?.()
    this.drop?.(new TidelogError({ code: 'ABORTED' }))
    await this.running
  }

  /** The network may be there again, or somebody looks: tries soon, and then as if the outage had just begun. */
  wake (): void {
    this.endOutage()
    if (this.skipWait !== undefined) this.mode = 0
    this.skipWait?.()
  }

  private endOutage (): void {
    this.attempt = 0
    this.outageSince = undefined
  }

  /** Does the socket still reach the server? After a sleep it may not, and not know it. */
  async probe (): Promise<void> {
    const { socket, options: { clock, watched } } = this
    if (Math.abs(clock.now() - this.probedAt) < probeMs) return
    this.probedAt = clock.now()
    try {
      await socket?.ask('subscribePresence', { userIds: watched() }, probeMs)
    } catch (error) {
      if (socket === this.socket) this.fail(error)
    }
  }

  /** Ends the connection; another one is made. */
  fail (error: unknown): void {
    this.drop?.(error)
  }

  private async run (signal: AbortSignal): Promise<void> {
    const { clock, onState } = this.options
    while (!signal.aborted) {
      this.lastTry = clock.now()
      onState({ state: 'connecting' })
      const error = await this.try(signal)
      if (signal.aborted) break
      if (error.code === 'INVALID_REFRESH_TOKEN' || error.code === 'NO_SESSION') {
        onState({ state: 'offline', error: toFailure(error) })
        return
      }
      const now = clock.now()
      if (now - this.lastTry > steadyMs && this.isSteady) this.endOutage()
      this.outageSince ??= now
      const leastMs = error.retryAfterMs ?? 0
      const waitMs = Math.max(leastMs, backoffMs(this.options.random, this.attempt, waitMaxMs(now - this.outageSince)))
      this.attempt++
      onState({ state: 'offline', retryAt: now + waitMs, error: toFailure(error) })
      await this.wait(waitMs, Math.max(leastMs, wakeMs), signal)
    }
    onState({ state: 'offline' })
  }

  private isSteady = false

  /** When a better way is to be tried than this one; undefined: when this one ends. */
  private get otherWayInMs (): number | undefined {
    if (this.mode === 0) return undefined
    // The better ways failed when there was no server either.
    if (this.attempt >= this.modes.length) return guessMs * (1 + this.options.random())
    return this.modes[this.mode] === 'rest' ? pollForMs : undefined
  }

  /** One connection, to its end. */
  private async try (signal: AbortSignal): Promise<TidelogError> {
    this.isSteady = false
    const mode = this.modes[this.mode]!
    try {
      if (mode === 'rest') await this.poll(signal)
      else await this.live(mode, signal)
      return new TidelogError({ code: 'OFFLINE' })
    } catch (thrown) {
      const error = asTidelogError(thrown)
      // Another way may work where this one does not.
      if (!this.isSteady && error.status === 0) this.mode = (this.mode + 1) % this.modes.length
      return error
    } finally {
      this.down()
    }
  }

  private up (state: 'live' | 'polling'): void {
    this.isSteady = true
    this.options.onState({ state })
    this.options.onUp()
  }

  private down (): void {
    this.isOnline = false
    this.drop = undefined
    this.socket?.close()
    if (this.socket !== undefined) this.options.onSocket(false)
    this.socket = undefined
    this.options.syncer.end()
  }

  private async live (transport: 'websocket' | 'polling', signal: AbortSignal): Promise<void> {
    const { syncer, onState, onSocket } = this.options
    const ended = new Promise<never>((_resolve, reject) => { this.drop = reject })
    ended.catch(() => {})
    const early: Array<[string, unknown]> = []
    let take = (name: string, payload: unknown) => { early.push([name, payload]) }
    const socket = await this.open(transport, signal, (name, payload) => { take(name, payload) })
    this.socket = socket
    onState({ state: 'syncing' })
    const answer = await socket.ask('setupUser', { live: true }, openMs) as { success: boolean, heads?: Heads, code?: string, retryAfterMs?: number }
    if (!answer.success || answer.heads === undefined) throw new TidelogError({ code: answer.code ?? 'BAD_ANSWER', retryable: true, retryAfterMs: answer.retryAfterMs })
    this.isOnline = true
    const synced = syncer.begin(answer.heads)
    take = (name, payload) => { this.take(name, payload) }
    for (const [name, payload] of early.splice(0)) take(name, payload)
    onSocket(true)
    await Promise.race([synced, ended])
    this.up('live')
    const { otherWayInMs } = this
    if (otherWayInMs !== undefined) void this.leave(otherWayInMs)
    await ended
  }

  private async open (transport: 'websocket' | 'polling', signal: AbortSignal, onEvent: (name: string, payload: unknown) => void): Promise<OpenSocket> {
    const { url, socket, tokens } = this.options
    const open = (token: string) => socket!.open({
      url, token, transport, timeoutMs: openMs, signal, onEvent, onClose: () => { this.drop?.(new TidelogError({ code: 'OFFLINE' })) }
    })
    const token = await tokens.token()
    try {
      return await open(token)
    } catch (error) {
      if (!(error instanceof TidelogError) || error.status !== 401) throw error
      return await open(await tokens.renew(token))
    }
  }

  private take (name: string, payload: unknown): void {
    const { syncer, onEvent } = this.options
    const event = toLive(name, payload)
    if (event !== undefined) syncer.hear([event])
    else if (name === 'heads') syncer.hearHeads(payload as Record<string, number>)
    else if (name === 'resync') syncer.mustSync('all')
    else if (name === 'tokenExpiring') void this.renew()
    // The server shuts down. It names a time for each client, so that not all come to another server at once.
    else if (name === 'goingAway') void this.leave((payload as { reconnectAfterMs: number }).reconnectAfterMs)
    else onEvent(name, payload)
  }

  /** Leaves this socket later, and connects again by the best way. */
  private async leave (afterMs: number): Promise<void> {
    const { socket } = this
    await sleep(this.options.clock, afterMs, this.stopped.signal)
    if (socket !== this.socket) return
    this.mode = 0
    this.fail(new TidelogError({ code: 'OFFLINE' }))
  }

  private async renew (): Promise<void> {
    const { tokens } = this.options
    const { socket } = this
    try {
      const token = await tokens.renew(await tokens.token())
      await socket?.ask('refreshToken', { token }, openMs)
    } catch {
      // The server closes the socket; the next one tells why.
    }
  }

  private async poll (signal: AbortSignal): Promise<void> {
    const { syncer, clock, onState } = this.options
    const aborted = new AbortController()
    const abort = (error?: unknown) => { aborted.abort(error) }
    this.drop = abort
    signal.addEventListener('abort', abort)
    const until = clock.now() + (this.otherWayInMs ?? Infinity)
    onState({ state: 'syncing' })
    try {
      await syncer.sync({ scope: 'all', signal: aborted.signal })
      this.isOnline = true
      this.up('polling')
      while (!signal.aborted && clock.now() < until) {
        await syncer.sync({ scope: 'all', waitMs: pollMs, signal: aborted.signal })
      }
      this.mode = 0
      this.endOutage()
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** @param leastMs the wait that remains even if the device wakes */
  private async wait (ms: number, leastMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.options
    const begun = clock.now()
    const woken = new Promise<void>(resolve => { this.skipWait = resolve })
    const left = () => Math.max(0, Math.min(leastMs, begun + leastMs - clock.now()))
    await Promise.race([sleep(clock, ms, signal), woken.then(() => sleep(clock, left(), signal))])
    this.skipWait = undefined
  }
}
