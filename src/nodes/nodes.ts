import type { BSON } from 'mongodb'
import { Histogram } from '../lib/histogram.ts'
import { Channels } from './channels.ts'
import type { Link } from './link.ts'
import type { Roster } from './roster.ts'
import { decodeWord, encodeWord, isFrom, nameOfWord } from './words.ts'

/** The channel that every node hears. */
export const everyNode = 'all'

/** Names of words of which a second copy is recognised. */
const namesMax = 10_000

interface NodesLogger {
  info: (object: object, text: string) => void
  warn: (object: object, text: string) => void
}

/**
 * This node and its link to the others. Each word is heard once, though a link may double it or bring it by
 * two channels. Without a link every word goes nowhere.
 */
export class Nodes<WordTypes extends object> {
  /** Stands for this process. */
  readonly id: string
  readonly channels: Channels
  /** Undefined: there are no other nodes. */
  roster: Roster | undefined
  /** Do words pass, as far as this node knows? It then hears every channel that it wants. */
  isUp = false
  private readonly link: Link | undefined
  private readonly logger: NodesLogger
  /** The bytes of `id`. */
  private readonly self: Buffer
  private count = 0
  private readonly listeners = new Map<string, (payload: never) => void>()
  private readonly upListeners = new Set<() => void>()
  private readonly activeListeners = new Set<(channels: readonly string[]) => void>()
  private readonly inactiveListeners = new Set<(channels: readonly string[]) => void>()
  /** Words that were sent, once for each channel; and words that were heard, once each. */
  readonly words = { sent: 0, heard: 0 }
  /** Words that were lost here: not sent, or not understood. */
  readonly dropped = { down: 0, full: 0, unreadable: 0 }
  /** How often the link was opened. */
  openings = 0
  /** Seconds that words take through the link. */
  readonly lagSeconds = new Histogram([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5])
  /** Names of the last words, the oldest first. */
  private readonly heard = new Set<string>()
  /** A loss is logged once, not at every try to open the link again. */
  private isLossLogged = false

  /** @param id that `newNodeId` has made */
  constructor (id: string, link: Link | undefined, logger: NodesLogger) {
    this.link = link
    this.logger = logger
    this.id = id
    this.self = Buffer.from(id, 'hex')
    this.channels = new Channels(link, {
      onActive: channels => { if (this.isUp) for (const act of this.activeListeners) act(channels) },
      onInactive: channels => { for (const act of this.inactiveListeners) act(channels) }
    })
    this.channels.want(everyNode)
  }

  /** False: this process has no link, whether up or not. */
  get isLinked (): boolean {
    return this.link !== undefined
  }

  /** @param prefix of all channels: what shares it shares a database */
  open (prefix: string): void {
    this.roster = this.link?.open({ prefix, nodeId: this.id }, {
      onWord: word => { this.hear(Buffer.from(word.buffer, word.byteOffset, word.byteLength)) },
      onOpen: () => { void this.onOpen() },
      onLost: error => { this.onLost(error) },
      onLag: seconds => { this.lagSeconds.observe(seconds) }
    })
  }

  /** Sends a word to every node that wants one of these channels. */
  send<T extends keyof WordTypes & string> (type: T, channels: readonly string[], payload: WordTypes[T]): void {
    if (this.link === undefined) return
    if (!this.isUp) {
      this.dropped.down += channels.length
      return
    }
    const word = encodeWord(this.self, this.count++, { type, payload: payload as BSON.Document })
    for (const channel of channels) {
      if (this.link.publish(channel, word)) this.words.sent++
      else this.dropped.full++
    }
  }

  /** Calls `hear` with the words of this type that other nodes send. */
  on<T extends keyof WordTypes & string> (type: T, hear: (payload: WordTypes[T]) => void): void {
    this.listeners.set(type, hear)
  }

  /** Calls `act` when the link is up, for the first time or again: what was said before is lost. */
  onUp (act: () => void): void {
    this.upListeners.add(act)
  }

  /** Calls `act` with channels that are heard from now on, while the link is up. */
  onActive (act: (channels: readonly string[]) => void): void {
    this.activeListeners.add(act)
  }

  /** Calls `act` with channels that are not heard any more, because nobody here wants them. */
  onInactive (act: (channels: readonly string[]) => void): void {
    this.inactiveListeners.add(act)
  }

  async close (): Promise<void> {
    this.isUp = false
    this.channels.close()
    await this.link?.close()
  }

  private async onOpen (): Promise<void> {
    if (!await this.channels.open()) return
    this.isUp = true
    this.openings++
    this.isLossLogged = false
    this.logger.info({ channels: this.channels.size }, 'the link to the other nodes is up')
    for (const act of this.upListeners) act()
  }

  private onLost (error: unknown): void {
    this.isUp = false
    this.channels.lost()
    if (this.isLossLogged) return
    this.isLossLogged = true
    this.logger.warn({ err: error }, 'the link to the other nodes is down: their changes come late')
  }

  private hear (word: Buffer): void {
    const name = nameOfWord(word)
    if (name !== undefined && (isFrom(this.self, word) || !this.isNew(name))) return
    try {
      if (name === undefined) throw new Error('a word of another version')
      const { type, payload } = decodeWord(word)
      this.words.heard++
      this.listeners.get(type)?.(payload as never)
    } catch (error) {
      this.dropped.unreadable++
      this.logger.warn({ err: error }, 'a word of another node could not be used')
    }
  }

  private isNew (name: string): boolean {
    if (this.heard.has(name)) return false
    this.heard.add(name)
    if (this.heard.size > namesMax) this.heard.delete(this.heard.values().next().value!)
    return true
  }
}
