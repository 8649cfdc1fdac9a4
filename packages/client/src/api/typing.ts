import type { Core } from '../core.ts'
import { Value } from '../readable.ts'
import type { Readable } from '../types.ts'

/** The server ends it after so long without a renewal. */
const endsAfterMs = 8_000
const renewMs = 4_000

/** Who is typing where. Nothing of it is stored. */
export class TypingState {
  private readonly core: Core
  private readonly states = new Map<string, Value<readonly string[]>>()
  private readonly timers = new Map<string, () => void>()
  private readonly told = new Map<string, number>()

  constructor (core: Core) {
    this.core = core
  }

  of (id: string): Readable<readonly string[]> {
    return this.state(id)
  }

  private state (id: string): Value<readonly string[]> {
    const state = this.states.get(id) ?? new Value<readonly string[]>([])
    this.states.set(id, state)
    return state
  }

  hear ({ conversationId, userId, on }: { conversationId: string, userId: string, on: boolean }): void {
    if (userId === this.core.userId) return
    const state = this.state(conversationId)
    const key = `${conversationId} ${userId}`
    this.timers.get(key)?.()
    this.timers.delete(key)
    const others = state.get().filter(id => id !== userId)
    if (on) this.timers.set(key, this.core.clock.after(endsAfterMs, () => { this.hear({ conversationId, userId, on: false }) }))
    if (on || others.length !== state.get().length) state.set(on ? [...others, userId] : others)
  }

  /** What somebody sends ends their typing. */
  heardMessage (conversationId: string, userId: string): void {
    if (this.states.get(conversationId)?.get().includes(userId) === true) this.hear({ conversationId, userId, on: false })
  }

  set (conversationId: string, on: boolean): void {
    const now = this.core.clock.now()
    const last = this.told.get(conversationId)
    if (on ? last !== undefined && now - last < renewMs && now >= last : last === undefined) return
    if (on) this.told.set(conversationId, now)
    else this.told.delete(conversationId)
    this.core.remotely('tell', 'typing', { conversationId, on }).catch(() => {})
  }

  /** A send ends it on the server too. */
  sent (conversationId: string): void {
    this.told.delete(conversationId)
  }

  clear (): void {
    for (const end of this.timers.values()) end()
    this.timers.clear()
    this.told.clear()
    for (const state of this.states.values()) if (state.get().length > 0) state.set([])
  }
}
