import { TidelogError } from '../errors.ts'

/** The origin of a request for a hash. */
export interface Asker {
  address: string
  /** The account was used from this address before. */
  isKnown: boolean
}

export interface HashQueueOptions {
  /** Hashes computed at the same time: their threads also serve the database's files. */
  concurrencyMax?: number
  /** Hashes that may wait for one address, for all known addresses, and for all unknown ones. */
  addressMax?: number
  laneMax?: number
}

/** Jobs by address. The addresses take turns. */
class Lane {
  readonly byAddress = new Map<string, Array<() => void>>()
  size = 0

  add (address: string, start: () => void): void {
    const waiting = this.byAddress.get(address)
    if (waiting === undefined) this.byAddress.set(address, [start])
    else waiting.push(start)
    this.size++
  }

  /** Takes one job of the next address, which then queues behind all others. */
  take (): (() => void) | undefined {
    const [first] = this.byAddress
    if (first === undefined) return undefined
    const [address, waiting] = first
    this.byAddress.delete(address)
    const start = waiting.shift()
    if (waiting.length > 0) this.byAddress.set(address, waiting)
    this.size--
    return start
  }
}

/**
 * Queues password hashes, because hashing is slow on purpose. Addresses take turns, and every second hash is for
 * addresses at which an account was used before. So a flood from one address delays others by at most one hash, and a
 * flood from many addresses delays known ones by no more. Jobs above the limit are refused at once, because their
 * clients would have left before the answer.
 */
export class HashQueue {
  private readonly options: Required<HashQueueOptions>
  private readonly known = new Lane()
  private readonly strange = new Lane()
  private running = 0
  private isTurnOfKnown = true

  constructor (options: HashQueueOptions = {}) {
    this.options = { concurrencyMax: 2, addressMax: 50, laneMax: 100, ...options }
  }

  /** @throws TidelogError OVERLOADED, or the error of `work`. */
  async run<T> ({ address, isKnown }: Asker, work: () => Promise<T>): Promise<T> {
    if (this.running >= this.options.concurrencyMax) await this.wait(isKnown ? this.known : this.strange, address)
    else this.running++
    try {
      return await work()
    } finally {
      this.next()
    }
  }

  private async wait (lane: Lane, address: string): Promise<void> {
    const { addressMax, laneMax } = this.options
    if (lane.size >= laneMax || (lane.byAddress.get(address)?.length ?? 0) >= addressMax) {
      throw new TidelogError('OVERLOADED', undefined, { retryAfterMs: 2_000 })
    }
    await new Promise<void>(resolve => { lane.add(address, resolve) })
  }

  /** Starts the next job. */
  private next (): void {
    const [first, second] = this.isTurnOfKnown ? [this.known, this.strange] : [this.strange, this.known]
    this.isTurnOfKnown = !this.isTurnOfKnown
    const start = first.take() ?? second.take()
    if (start === undefined) this.running--
    else start()
  }
}
