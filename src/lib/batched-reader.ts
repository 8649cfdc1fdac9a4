/**
 * Batches point reads: those that arrive during a read share the next one. Under load, a query for many keys costs
 * little more than a query for one. A read starts after the call, so its result is never older than the call.
 */
export class BatchedReader<K, V> {
  private waiting = new Map<K, Array<{ resolve: (value: V | undefined) => void, reject: (error: unknown) => void }>>()
  private running = 0
  private readonly read: (keys: K[]) => Promise<Map<K, V>>
  private readonly keysMax: number
  private readonly concurrencyMax: number

  /** @param read reads up to `keysMax` keys; keys that it leaves out do not exist. */
  constructor (read: (keys: K[]) => Promise<Map<K, V>>, { keysMax = 500, concurrencyMax = 2 } = {}) {
    this.read = read
    this.keysMax = keysMax
    this.concurrencyMax = concurrencyMax
  }

  get (key: K): Promise<V | undefined> {
    return new Promise((resolve, reject) => {
      const others = this.waiting.get(key)
      if (others === undefined) this.waiting.set(key, [{ resolve, reject }])
      else others.push({ resolve, reject })
      // Reads of the same tick share one query.
      if (this.waiting.size === 1 && others === undefined) setImmediate(() => { this.start() })
    })
  }

  private start (): void {
    while (this.running < this.concurrencyMax && this.waiting.size > 0) {
      // First in, first out: otherwise some keys would never be read under constant load.
      const keys = [...this.waiting]
      const taken = new Map(keys.slice(0, this.keysMax))
      this.waiting = new Map(keys.slice(this.keysMax))
      this.running++
      void this.run(taken)
    }
  }

  private async run (
    taken: Map<K, Array<{ resolve: (value: V | undefined) => void, reject: (error: unknown) => void }>>
  ): Promise<void> {
    try {
      const values = await this.read([...taken.keys()])
      for (const [key, callers] of taken) for (const { resolve } of callers) resolve(values.get(key))
    } catch (error) {
      for (const callers of taken.values()) for (const { reject } of callers) reject(error)
    }
    this.running--
    this.start()
  }
}
