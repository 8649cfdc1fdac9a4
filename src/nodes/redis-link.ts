import { setTimeout as delay } from 'node:timers/promises'
import type { Link, LinkListener } from './link.ts'
import { type RedisClient, newClient } from './redis-client.ts'
import { RedisRoster } from './redis-roster.ts'
import type { Roster } from './roster.ts'
import { within } from './within.ts'

/** Milliseconds between two pings, and until one counts as unanswered. */
const pingEveryMs = 2_000
const pingMsMax = 4_000
/** Milliseconds in which a connection must be ready. */
const connectMsMax = 4_000
/** Shortest and longest wait before the link is opened again, in milliseconds. */
const retryMsMin = 100
const retryMsMax = 2_000
/** Words, and their bytes, that Redis has not confirmed. Further words are dropped. */
const wordsMax = 2_000
const bytesMax = 32 << 20
/** Milliseconds that the last words get when the link closes. */
const farewellMs = 500

interface Pair {
  publisher: RedisClient
  subscriber: RedisClient
  /** Words, and their bytes, that are under way. */
  words: number
  bytes: number
}

/** A link over Redis's pub/sub: one client publishes, the other one subscribes. */
export class RedisLink implements Link {
  private readonly url: string
  private prefix = ''
  private nodeId = ''
  private listener: LinkListener | undefined
  /** Undefined: down. */
  private pair: Pair | undefined
  private readonly closing = new AbortController()
  private running = Promise.resolve()

  constructor (url: string) {
    this.url = url
  }

  open ({ prefix, nodeId }: { prefix: string, nodeId: string }, listener: LinkListener): Roster {
    this.prefix = prefix
    this.nodeId = nodeId
    this.listener = listener
    const roster = new RedisRoster(() => this.pair?.publisher, prefix, nodeId)
    this.running = this.run(listener, roster)
    return roster
  }

  publish (channel: string, word: Uint8Array): boolean {
    const { pair } = this
    if (pair === undefined || pair.words >= wordsMax || pair.bytes + word.length > bytesMax) return false
    pair.words++
    pair.bytes += word.length
    const done = () => {
      pair.words--
      pair.bytes -= word.length
    }
    const bytes = Buffer.from(word.buffer, word.byteOffset, word.byteLength)
    pair.publisher.publish(this.prefix + channel, bytes).then(done, done)
    return true
  }

  async subscribe (channels: readonly string[]): Promise<void> {
    const { pair, listener } = this
    if (pair === undefined || listener === undefined) throw new Error('The link is down')
    await pair.subscriber.subscribe(channels.map(channel => this.prefix + channel), listener.onWord, true)
  }

  unsubscribe (channels: readonly string[]): void {
    this.pair?.subscriber.unsubscribe(channels.map(channel => this.prefix + channel)).catch(() => {
      // The link is lost, and its subscriptions with it.
    })
  }

  async close (): Promise<void> {
    const { pair } = this
    if (pair !== undefined) await within(farewellMs, pair.publisher.close()).catch(() => {})
    this.closing.abort()
    await this.running
  }

  /** Opens the link again and again until it is closed. Never rejects. */
  private async run (listener: LinkListener, roster: RedisRoster): Promise<void> {
    const { signal } = this.closing
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.live(listener, roster, () => { failures = 0 })
      } catch (error) {
        if (!signal.aborted) listener.onLost(error)
      }
      const ms = Math.min(retryMsMax, retryMsMin * 2 ** failures) * (0.5 + Math.random() / 2)
      await delay(ms, undefined, { signal }).catch(() => {})
    }
  }

  /** One life of the link. @throws the reason of its end */
  private async live (listener: LinkListener, roster: RedisRoster, onOpen: () => void): Promise<never> {
    let end = (_error: unknown) => {}
    const ended = new Promise<never>((_resolve, reject) => { end = reject })
    ended.catch(() => {})
    const abort = () => { end(new Error('The link is closed')) }
    this.closing.signal.addEventListener('abort', abort)
    const open = () => newClient(this.url, connectMsMax, end)
    const pair = { publisher: open(), subscriber: open(), words: 0, bytes: 0 }
    const both = [pair.publisher, pair.subscriber]
    const echo = `${this.prefix}echo:${this.nodeId}`
    const heardEcho = (sentAt: string) => { listener.onLag((performance.now() - Number(sentAt)) / 1_000) }
    try {
      const connected = Promise.all(both.map(async client => await client.connect()))
      const isReady = connected.then(async () => {
        await Promise.all([roster.renew(pair.publisher), pair.subscriber.subscribe(echo, heardEcho)])
      })
      await Promise.race([ended, within(connectMsMax, isReady)])
      this.pair = pair
      onOpen()
      listener.onOpen()
      // The lease is a ping at the same time.
      const renew = async () => {
        await Promise.all([roster.renew(pair.publisher), pair.publisher.publish(echo, String(performance.now()))])
      }
      return await Promise.race([ended, ...[renew, async () => { await pair.subscriber.ping() }].map(keepAsking)])
    } finally {
      this.closing.signal.removeEventListener('abort', abort)
      this.pair = undefined
      for (const client of both) if (client.isOpen) client.destroy()
    }
  }
}

/** Rejects when Redis does not answer any more. */
async function keepAsking (ask: () => Promise<void>): Promise<never> {
  for (;;) {
    await delay(pingEveryMs, undefined, { ref: false })
    await within(pingMsMax, ask())
  }
}
