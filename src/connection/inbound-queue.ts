import { RateCounter } from '../lib/rate-counter.ts'

/** What one connection may send. 0: no limit. */
export interface InboundLimits {
  /** Packets of any kind in 10 seconds. */
  packets: number
  /** CONNECT packets in 10 seconds. */
  connects: number
  /** Largest packet, in bytes. */
  packetBytes: number
  /** Bytes that may wait, in each direction. */
  waitingBytes: number
}

/** What the queue needs of a connection's transport. */
export interface ConnectionControl {
  /** Pauses or resumes reading. */
  read: (on: boolean) => void
  /** Sends a Socket.IO packet. */
  send: (packet: string) => void
  /** Closes the connection and stops reading. */
  end: () => void
}

/** Callbacks for an authenticated connection. Before authentication, a connection that breaks a rule is closed. */
export interface Owner {
  /** A packet that is neither an event nor a CONNECT. It counts as an event. */
  onOther: () => void
  /** An event was dropped because it is too large. */
  onTooLarge: (event: string, ackId: number | undefined) => void
  /** The connection sent more than it may. */
  onFlood: (retryAfterMs: number) => void
}

export type RawPacket = string | Buffer

/**
 * Largest CONNECT packet, in characters: a token and the client's details. Its content is kept as long as the
 * connection.
 */
const connectCharsMax = 32_768
/** What one connection may have processed in one tick; the rest waits for the next ticks. */
const turnMax = { packets: 8, chars: 65_536 }
/** Events of one connection that may run at once. Other users' database calls wait behind them. */
const runningMax = 128
const windowMs = 10_000

let turn = 0
let isTicking = false

/** The number of the current tick. */
function presentTurn (): number {
  if (!isTicking) {
    isTicking = true
    setImmediate(() => {
      isTicking = false
      turn++
    })
  }
  return turn
}

/**
 * The packets that arrive over one connection, before they are parsed. The queue counts them, processes as many as fit
 * in this tick, and stops reading while the rest waits. It also stops reading while too much unfinished work waits
 * ('in'), or while the client does not take its answers ('out').
 */
export class InboundQueue {
  readonly limits: InboundLimits
  private readonly counts: RateCounter
  private readonly connects: RateCounter
  private control: ConnectionControl | undefined
  private owner: Owner | undefined
  private readonly holds = new Set<'in' | 'out' | 'queue'>()
  private queue: Array<{ data: RawPacket, pass: (data: RawPacket) => void }> = []
  private queuedAt = 0
  private isScheduled = false
  private readonly inTurn = { turn: -1, packets: 0, chars: 0 }
  /** Characters received since the last time that no event was running. */
  private waiting = 0
  private running = 0
  /** Binary attachments that are still to come. No event uses them. */
  private attachments = 0
  private ended = false
  private readonly whenIdle: Array<() => void> = []

  constructor (limits: InboundLimits, now?: () => number) {
    this.limits = limits
    this.counts = new RateCounter(limits.packets, windowMs, now)
    this.connects = new RateCounter(limits.connects, windowMs, now)
  }

  attach (control: ConnectionControl): void {
    this.control = control
  }

  /** Call this when the user of the connection is authenticated. */
  ownedBy (owner: Owner): void {
    this.owner = owner
  }

  get isEnded (): boolean {
    return this.ended
  }

  /** Closes the connection if this many more packets exceed its limit. @returns milliseconds to wait; 0: they fit */
  refusesMany (packets: number): number {
    const { packets: max } = this.limits
    if (max === 0 || this.counts.countOf('') + packets <= max) return 0
    this.counts.add('', 0)
    const retryAfterMs = this.counts.waitMs('')
    this.flood(retryAfterMs)
    return retryAfterMs
  }

  /**
   * Takes an Engine.IO packet.
   * @param pass is called with the packet later, if this tick has no room for it
   * @returns the packet to decode now; undefined: none
   */
  take (data: RawPacket, pass: (data: RawPacket) => void): RawPacket | undefined {
    if (this.ended) return undefined
    if (this.counts.add('') > this.limits.packets) {
      this.flood(this.counts.waitMs(''))
      return undefined
    }
    if (this.queue.length === 0 && this.fits(data)) return this.admit(data)
    this.queue.push({ data, pass })
    this.hold('queue')
    this.schedule()
    return undefined
  }

  /** Resolves when all packets are passed on and more may come. Undefined: that is so now. */
  idle (): Promise<void> | undefined {
    return this.isIdle ? undefined : new Promise(resolve => { this.whenIdle.push(resolve) })
  }

  /** Call this when an event begins to run. */
  eventStarted (): void {
    if (++this.running >= runningMax) this.hold('in')
  }

  eventFinished (): void {
    if (--this.running === 0) this.waiting = 0
    if (this.running <= runningMax / 2 && !this.isFull) this.release('in')
  }

  hold (why: 'in' | 'out' | 'queue'): void {
    // Always: the transport of the connection may have changed since.
    this.control?.read(false)
    this.holds.add(why)
  }

  release (why: 'in' | 'out' | 'queue'): void {
    if (this.holds.size === 0 || !this.holds.delete(why)) return
    if (this.queue.length > 0 && !this.isHeld) this.schedule()
    this.notifyIfIdle()
  }

  /** The connection is closed or closing: waiting packets are dropped. */
  end (): void {
    this.ended = true
    this.queue = []
    this.holds.clear()
    this.notifyIfIdle()
  }

  /** Closes the connection and tells its user why. */
  flood (retryAfterMs: number): void {
    if (this.ended) return
    this.end()
    this.owner?.onFlood(retryAfterMs)
    this.control?.end()
  }

  private get isHeld (): boolean {
    return this.holds.size > 0 && (this.holds.has('in') || this.holds.has('out'))
  }

  /** Have as many characters arrived since the queue was empty as may wait? */
  private get isFull (): boolean {
    const { waitingBytes } = this.limits
    return waitingBytes > 0 && this.waiting > waitingBytes / 4
  }

  private get isIdle (): boolean {
    return this.ended || (this.queue.length === 0 && this.holds.size === 0)
  }

  private notifyIfIdle (): void {
    if (!this.isIdle) return
    if (!this.ended) this.control?.read(true)
    for (const resolve of this.whenIdle.splice(0)) resolve()
  }

  private fits ({ length }: RawPacket): boolean {
    const { inTurn } = this
    const present = presentTurn()
    if (inTurn.turn !== present) {
      inTurn.turn = present
      inTurn.packets = 0
      inTurn.chars = 0
    }
    if (this.isHeld || inTurn.packets >= turnMax.packets || inTurn.chars >= turnMax.chars) return false
    inTurn.packets++
    inTurn.chars += length
    return true
  }

  private schedule (): void {
    if (this.isScheduled) return
    this.isScheduled = true
    setImmediate(() => {
      this.isScheduled = false
      this.passOn()
    })
  }

  private passOn (): void {
    while (this.queuedAt < this.queue.length && this.fits(this.queue[this.queuedAt]!.data)) {
      const { data, pass } = this.queue[this.queuedAt++]!
      const admitted = this.admit(data)
      if (admitted !== undefined) pass(admitted)
    }
    if (this.queuedAt < this.queue.length) {
      if (!this.isHeld) this.schedule()
      return
    }
    this.queue = []
    this.queuedAt = 0
    this.release('queue')
  }

  /**
   * The part of a packet to decode. The first character is Engine.IO's type (4 is a message), the second Socket.IO's.
   */
  private admit (data: RawPacket): RawPacket | undefined {
    if (typeof data !== 'string' || data.startsWith('b')) return this.admitBinary(data)
    if (data.charCodeAt(0) !== 0x34) return data
    switch (data.charAt(1)) {
      case '2': return this.admitEvent(data)
      case '0': return this.admitConnect(data)
      case '5': return this.admitEvent(this.withoutAttachments(data, '42'))
    }
    this.owner?.onOther()
    if (this.ended) return undefined
    // The server never asks for a binary acknowledgement.
    return this.withoutAttachments(data, '') === data ? data : undefined
  }

  private admitBinary (data: RawPacket): RawPacket | undefined {
    if (this.attachments === 0) return data
    this.attachments--
    return undefined
  }

  /** No event takes binary data: attachments are dropped, and validation sees the placeholders. */
  private withoutAttachments (data: string, mark: string): string {
    const head = /^4[56](\d{1,6})-/.exec(data.slice(0, 9))
    if (head === null || head[1] === '0') return data
    this.attachments += Number(head[1])
    return mark + data.slice(head[0].length)
  }

  private admitEvent (data: string): string | undefined {
    const { packetBytes } = this.limits
    if (data.length * 3 > packetBytes && (data.length > packetBytes || Buffer.byteLength(data) > packetBytes)) {
      const [, ackId, event] = /^42(\d{0,15})\["([^"\\]{0,100})/.exec(data.slice(0, 120)) ?? []
      if (this.owner === undefined) this.flood(0)
      else this.owner.onTooLarge(event ?? '', ackId === undefined || ackId === '' ? undefined : Number(ackId))
      return undefined
    }
    this.waiting += data.length
    if (this.isFull && this.running > 0) this.hold('in')
    return data
  }

  private admitConnect (data: string): string | undefined {
    if (this.connects.add('') > this.limits.connects) {
      this.flood(this.connects.waitMs(''))
      return undefined
    }
    if (data.length <= connectCharsMax) return data
    this.control?.send(
      `4${JSON.stringify({ message: 'The request is too large', data: { success: false, code: 'TOO_LARGE' } })}`
    )
    return undefined
  }
}
