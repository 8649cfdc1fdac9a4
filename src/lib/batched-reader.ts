/**
 * Point reads that arrive while one is on its way share the next: under load a query for many keys costs little more
 * than one for a single key. A read starts after it was asked for, so what it returns is never older than the question.
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
      // Those of the same turn of the event loop travel together.
      if (this.waiting.size === 1 && others === undefined) setImmediate(() => { this.start() })
    })
  }

  private start (): void {
    while (this.running < this.concurrencyMax && this.waiting.size > 0) {
      // The first come go first: under a steady surplus the others would never be read.
      const keys = [...this.waiting]
      const taken = new Map(keys.slice(0, this.keysMax))
      this.waiting = new Map(keys.slice(this.keysMax))
      this.running++
      void this.run(taken)
    }
  }

  private async run (taken: Map<K, Array<{ resolve: (value: V | undefined) => void, reject: (error: unknown) => void }>>): Promise<void> {
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
