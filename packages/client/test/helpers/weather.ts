import { TidelogError } from '../../src/errors.ts'
import { socketTransport } from '../../src/network/socket.ts'
import type { SocketTransport } from '../../src/network/transport.ts'

/** A network that loses, doubles, delays and reorders, until it clears up. */
export class Weather {
  isBad = true
  private readonly random: () => number

  constructor (random: () => number) {
    this.random = random
  }

  private is (chance: number): boolean {
    return this.isBad && this.random() < chance
  }

  /** Mostly short, now and then so long that others come first. */
  private async delay (): Promise<void> {
    if (!this.isBad) return
    const ms = this.random() < 0.1 ? 150 : this.random() * 15
    await new Promise(resolve => setTimeout(resolve, ms))
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    await this.delay()
    if (this.is(0.05)) throw new TypeError('fetch failed: not sent')
    // A proxy repeats what it takes for lost.
    const isRepeated = this.is(0.05) && !String(input).endsWith('/api/rooms')
    if (isRepeated) globalThis.fetch(input, init).then(answer => answer.text(), () => {}).catch(() => {})
    const answer = await globalThis.fetch(input, init)
    await this.delay()
    if (this.is(0.05)) {
      await answer.body?.cancel()
      throw new TypeError('fetch failed: the answer is lost')
    }
    return answer
  }

  readonly socket: SocketTransport = {
    open: async options => {
      await this.delay()
      if (this.is(0.1)) throw new TidelogError({ code: 'OFFLINE' })
      const socket = await socketTransport().open({
        ...options,
        onEvent: (name, payload) => {
          if (this.is(0.05)) return
          const times = this.is(0.05) ? 2 : 1
          for (let time = 0; time < times; time++) {
            if (this.isBad) void this.delay().then(() => { options.onEvent(name, payload) })
            else options.onEvent(name, payload)
          }
          if (this.is(0.01)) socket.close()
        }
      })
      return {
        ...socket,
        ask: async (...question) => {
          if (this.is(0.05)) throw new TidelogError({ code: 'TIMEOUT' })
          return await socket.ask(...question)
        }
      }
    }
  }
}
