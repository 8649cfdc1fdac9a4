import { TidelogError, toFailure } from '../errors.ts'
import type { Clock, Failure } from '../types.ts'
import type { TabMessage } from './tabs.ts'

interface Call {
  method: string
  given: unknown[]
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

const timeoutMs = 20_000

/** Calls between tabs. A leader that is gone does not answer: then the call has failed, and may be made again. */
export class TabCalls {
  private readonly clock: Clock
  private readonly tell: (message: TabMessage) => void
  private readonly open = new Map<number, Call>()
  private made = 0

  constructor (clock: Clock, tell: (message: TabMessage) => void) {
    this.clock = clock
    this.tell = tell
  }

  ask (method: string, given: unknown[]): Promise<unknown> {
    const call = ++this.made
    return new Promise((resolve, reject) => {
      const cancel = this.clock.after(timeoutMs, () => { settle(reject)(new TidelogError({ code: 'TIMEOUT' })) })
      const settle = <T>(act: (value: T) => void) => (value: T) => {
        this.open.delete(call)
        cancel()
        act(value)
      }
      this.open.set(call, { method, given, resolve: settle(resolve), reject: settle(reject) })
      this.tell({ type: 'call', call, method, given })
    })
  }

  /** Another tab leads now: the old leader may have heard of the calls, and ended. Each may be done twice. */
  again (): void {
    for (const [call, { method, given }] of this.open) this.tell({ type: 'call', call, method, given })
  }

  /** This tab leads now: it does itself what it has asked of the old leader, which may be gone. */
  takeOver (run: (method: string, given: unknown[]) => Promise<unknown>): void {
    for (const { method, given, resolve, reject } of this.open.values()) run(method, given).then(resolve, reject)
  }

  serve ({ from, call, method, given }: TabMessage, run: (method: string, given: unknown[]) => Promise<unknown>): void {
    run(method as string, given as unknown[]).then(
      value => { this.tell({ type: 'answer', to: from, call, value }) },
      (error: unknown) => { this.tell({ type: 'answer', to: from, call, failure: toFailure(error) }) }
    )
  }

  /** @param id of this tab */
  hear ({ to, call, value, failure }: TabMessage, id: string): void {
    const held = to === id ? this.open.get(call as number) : undefined
    if (failure === undefined) held?.resolve(value)
    else held?.reject(new TidelogError(failure as Failure))
  }
}
