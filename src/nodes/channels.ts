import { setTimeout as delay } from 'node:timers/promises'
import type { Link } from './link.ts'

/** Milliseconds for which a channel that nobody wants any more stays subscribed: clients come back. */
const lingerMsMin = 10_000
/** Milliseconds between two looks for such channels. */
const sweepEveryMs = 5_000
/** Milliseconds that a caller waits for its subscriptions at most. */
const patienceMs = 1_000
/** Channels in one request to the link. */
const channelsInRequest = 1_000

/** The channel of what concerns a user: their direct conversations and their self log. */
export const userChannel = (userId: string): string => `user_${userId}`

/** The channel of those who watch a user's presence. */
export const presenceChannel = (userId: string): string => `presence_${userId}`

interface ChannelsListener {
  /** These channels are heard from now on. */
  onActive: (channels: readonly string[]) => void
  /** These channels are not wanted any more. */
  onInactive: (channels: readonly string[]) => void
}

interface Want {
  count: number
  /** Milliseconds since the start of the process until which the channel is wanted although nobody counts. */
  until: number
}

/**
 * The channels that this node wants to hear, each for as long as somebody here wants it. A node hears nothing of
 * conversations and users that it does not serve.
 */
export class Channels {
  private readonly link: Link | undefined
  private readonly listener: ChannelsListener
  private readonly lingerMs: number
  private readonly wanted = new Map<string, Want>()
  private readonly active = new Set<string>()
  /** Wanted, and not yet asked for. */
  private missing = new Set<string>()
  private isOpen = false
  /** The subscribing that runs, and the one that waits for its end. */
  private running: Promise<void> | undefined
  private next: Promise<void> | undefined
  private readonly timer: NodeJS.Timeout | undefined

  constructor (link: Link | undefined, listener: ChannelsListener, lingerMs = lingerMsMin) {
    this.link = link
    this.listener = listener
    this.lingerMs = lingerMs
    if (link !== undefined) this.timer = setInterval(() => { this.sweep() }, sweepEveryMs).unref()
  }

  /** Wants a channel until you call the returned function, and a while longer. */
  want (channel: string): () => void {
    if (this.link === undefined) return () => {}
    const want = this.wantOf(channel)
    want.count++
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      want.count--
      want.until = Math.max(want.until, performance.now() + this.lingerMs)
    }
  }

  /** Wants a channel for this many milliseconds. */
  wantFor (channel: string, ms: number): void {
    if (this.link === undefined) return
    const want = this.wantOf(channel)
    want.until = Math.max(want.until, performance.now() + ms)
  }

  /**
   * Waits until the channels that are wanted now are heard, a second at most. A head that is read afterwards is so
   * recent that every later change is heard. Returns no promise if there is nothing to wait for.
   */
  settled (): Promise<void> | undefined {
    const pending = this.next ?? this.running
    if (pending === undefined) return undefined
    const patience = new AbortController()
    const isOver = delay(patienceMs, undefined, { signal: patience.signal }).catch(() => {})
    return Promise.race([pending, isOver]).finally(() => { patience.abort() })
  }

  /** Subscribes all wanted channels again. @returns false: the link was lost meanwhile */
  async open (): Promise<boolean> {
    this.isOpen = true
    this.active.clear()
    this.missing = new Set(this.wanted.keys())
    this.begin()
    while (this.isOpen && (this.next ?? this.running) !== undefined) await (this.next ?? this.running)
    return this.isOpen
  }

  lost (): void {
    this.isOpen = false
    this.active.clear()
  }

  get size (): number {
    return this.active.size
  }

  close (): void {
    clearInterval(this.timer)
    this.lost()
  }

  private wantOf (channel: string): Want {
    const known = this.wanted.get(channel)
    if (known !== undefined) return known
    const want = { count: 0, until: 0 }
    this.wanted.set(channel, want)
    this.missing.add(channel)
    this.begin()
    return want
  }

  private begin (): void {
    if (!this.isOpen || this.next !== undefined || this.missing.size === 0) return
    // What is wanted in the same tick goes along.
    this.next = (this.running ?? Promise.resolve()).then(async () => { await this.run() })
  }

  private async run (): Promise<void> {
    const self = this.next
    this.running = self
    this.next = undefined
    const channels = [...this.missing]
    this.missing = new Set()
    try {
      for (let start = 0; start < channels.length; start += channelsInRequest) {
        const some = channels.slice(start, start + channelsInRequest)
        await this.link?.subscribe(some)
        if (!this.isOpen) return
        this.activate(some)
      }
    } catch {
      // The link is lost. When it is open again, all wanted channels are subscribed.
    } finally {
      if (this.running === self) this.running = undefined
    }
  }

  private activate (channels: readonly string[]): void {
    const wanted = channels.filter(channel => this.wanted.has(channel))
    for (const channel of wanted) this.active.add(channel)
    // The others were given up meanwhile.
    if (wanted.length < channels.length) this.link?.unsubscribe(channels.filter(channel => !this.wanted.has(channel)))
    this.listener.onActive(wanted)
  }

  /** Gives up the channels that nobody has wanted for a while. */
  sweep (): void {
    const now = performance.now()
    const isEnded = ({ count, until }: Want) => count === 0 && until <= now
    const ended = [...this.wanted].flatMap(([channel, want]) => isEnded(want) ? [channel] : [])
    if (ended.length === 0) return
    for (const channel of ended) {
      this.wanted.delete(channel)
      this.missing.delete(channel)
    }
    const heard = ended.filter(channel => this.active.delete(channel))
    if (this.isOpen && heard.length > 0) this.link?.unsubscribe(heard)
    this.listener.onInactive(ended)
  }
}
