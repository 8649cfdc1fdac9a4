import type { Clock } from '../types.ts'

/** Tabs of one user on one device: one leads, all hear of what is stored. */
export interface Tabs {
  readonly id: string
  /** There may be others. */
  readonly isShared: boolean
  /** Calls `onLead` when this tab is to lead; that it leads no more tells `onLost`. */
  campaign: (ends: { onLead: () => void, onLost: () => void }) => void
  /** Gives the lead back, if this tab has it, and wants it again: another tab has written meanwhile. */
  again: () => void
  /** Leads no more, and does not want to. */
  resign: () => void
  /** To all other tabs. */
  tell: (message: TabMessage) => void
  close: () => void
}

export type TabMessage = { type: string, from?: string } & Record<string, unknown>

/** What of the browser is used. */
interface Browser {
  BroadcastChannel?: new (name: string) => {
    postMessage: (message: unknown) => void, close: () => void, onmessage: ((event: { data: unknown }) => void) | null
  }
  navigator?: { locks?: Locks }
  document?: { visibilityState?: string }
}

export interface Locks {
  request: <T>(name: string, options: { signal?: AbortSignal, steal?: boolean, mode?: 'exclusive' }, work: () => Promise<T>) => Promise<T>
}

const browser = globalThis as unknown as Browser

/** How long a leader may be silent, and how often it says that it is there. */
const silentMs = 2_000
const beatMs = 700

export const locks = (): Locks | undefined => browser.navigator?.locks

/** Without the browser's locks or channels every tab works alone: correct, but each talks to the server. */
export function joinTabs (name: string | undefined, { id, clock, onMessage }: { id: string, clock: Clock, onMessage: (message: TabMessage) => void }): Tabs {
  const held = locks()
  if (name === undefined || held === undefined || browser.BroadcastChannel === undefined) return alone(id)
  return new LockedTabs(name, { id, clock, onMessage, locks: held, channel: new browser.BroadcastChannel(name) })
}

function alone (id: string): Tabs {
  return { id, isShared: false, campaign: ({ onLead }) => { onLead() }, again: () => {}, resign: () => {}, tell: () => {}, close: () => {} }
}

interface LockedOptions {
  id: string
  clock: Clock
  onMessage: (message: TabMessage) => void
  locks: Locks
  channel: InstanceType<NonNullable<Browser['BroadcastChannel']>>
}

/** The lock says who leads. One who holds it and is frozen says nothing any more: a tab that is looked at takes it away. */
class LockedTabs implements Tabs {
  readonly id: string
  readonly isShared = true
  private readonly name: string
  private readonly options: LockedOptions
  private ends: { onLead: () => void, onLost: () => void } | undefined
  private release: (() => void) | undefined
  private cancel = new AbortController()
  private cancelTimer = () => {}
  private heardAt: number

  constructor (name: string, options: LockedOptions) {
    this.id = options.id
    this.name = name
    this.options = options
    this.heardAt = options.clock.now()
    options.channel.onmessage = ({ data }) => { this.hear(data as TabMessage) }
  }

  private hear (message: TabMessage): void {
    if (message.type === 'beat') this.heardAt = this.options.clock.now()
    else this.options.onMessage(message)
  }

  campaign (ends: { onLead: () => void, onLost: () => void }): void {
    const isWaiting = this.ends !== undefined
    this.ends = ends
    if (this.release !== undefined) ends.onLead()
    if (isWaiting) return
    this.heardAt = this.options.clock.now()
    this.request(false)
    this.watch()
  }

  private request (steal: boolean): void {
    this.cancel = new AbortController()
    const { signal } = this.cancel
    const options = steal ? { steal } : { signal }
    this.options.locks.request(this.name, options, () => this.hold(signal)).catch(() => {
      // Given up, or taken away by a tab that heard nothing: then it is that one's turn.
      if (signal.aborted) return
      this.letGo()
      this.ends?.onLost()
      if (this.ends !== undefined) this.request(false)
    })
  }

  private async hold (signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.ends === undefined) return
    const released = new Promise<void>(resolve => { this.release = resolve })
    this.ends.onLead()
    await released
  }

  private watch (): void {
    this.cancelTimer = this.options.clock.after(beatMs, () => {
      if (this.ends === undefined) return
      const { clock } = this.options
      if (this.release !== undefined) this.tell({ type: 'beat' })
      else if (clock.now() - this.heardAt > silentMs && browser.document?.visibilityState !== 'hidden') {
        this.heardAt = clock.now()
        this.cancel.abort()
        this.request(true)
      }
      this.watch()
    })
  }

  again (): void {
    if (this.release === undefined) return
    this.cancel.abort()
    this.letGo()
    this.request(false)
  }

  private letGo (): void {
    this.release?.()
    this.release = undefined
  }

  resign (): void {
    this.ends = undefined
    this.cancelTimer()
    this.cancel.abort()
    this.letGo()
  }

  tell (message: TabMessage): void {
    this.options.channel.postMessage({ ...message, from: this.id })
  }

  close (): void {
    this.resign()
    this.options.channel.close()
  }
}
