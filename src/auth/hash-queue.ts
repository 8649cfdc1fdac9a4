import { TidelogError } from '../errors.ts'

/** Who wants a password hashed. */
export interface Asker {
  address: string
  /** From an address at which the account has been used before. */
  isKnown: boolean
}

export interface HashQueueOptions {
  /** Hashes computed at a time: the threads that do it also serve the database's files. */
  concurrencyMax?: number
  /** Hashes that may wait for one address, and for all addresses that are known, or for all that are not. */
  addressMax?: number
  laneMax?: number
}

/** Jobs by address, in the order in which the addresses get their turns. */
class Lane {
  readonly byAddress = new Map<string, Array<() => void>>()
  size = 0

  add (address: string, start: () => void): void {
    const waiting = this.byAddress.get(address)
    if (waiting === undefined) this.byAddress.set(address, [start])
    else waiting.push(start)
    this.size++
  }

  /** One job of the address whose turn it is; its next one has its turn after those of all others. */
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
 * Hashing is slow on purpose, so it has a queue: addresses take turns, and of those at which an account has been used
 * before every second hash is. A flood from one address delays nobody else by more than a hash, one from many addresses
 * delays those who come back by as much. More than may wait are refused at once: they would be answered after they have gone.
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

  /** @throws TidelogError OVERLOADED, or whatever `work` throws. */
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
    if (lane.size >= laneMax || (lane.byAddress.get(address)?.length ?? 0) >= addressMax) throw new TidelogError('OVERLOADED', undefined, { retryAfterMs: 2_000 })
    await new Promise<void>(resolve => { lane.add(address, resolve) })
  }

  /** Hands the place on. */
  private next (): void {
    const [first, second] = this.isTurnOfKnown ? [this.known, this.strange] : [this.strange, this.known]
    this.isTurnOfKnown = !this.isTurnOfKnown
    const start = first.take() ?? second.take()
    if (start === undefined) this.running--
    else start()
  }
}
