import { awaitConversation } from '../../src/api/await-conversation.ts'
import { TimelineWindow } from '../../src/api/timeline.ts'
import type { Core } from '../../src/core.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { asTidelogError } from '../../src/errors.ts'
import type { Timeline } from '../../src/types.ts'
import { type Server, places, room } from './server.ts'

const pageSize = 3

/** What an application asks of a tab at any moment, and what it was promised. */
export class App {
  readonly broken: string[] = []
  private readonly core: Core
  private readonly engine: Engine
  private readonly server: Server
  private readonly windows = new Map<string, Timeline>()

  constructor (core: Core, engine: Engine, server: Server) {
    this.core = core
    this.engine = engine
    this.server = server
  }

  /** When it resolves, all is here that the server held when it was called. */
  sync (sync: () => Promise<void>, isHeard: () => boolean): void {
    const heads = this.server.heads()
    const { era, stays } = this.server
    sync().then(() => {
      if (!isHeard() || era !== this.server.era) return
      for (const [id, { rev }] of Object.entries(heads)) {
        const isSame = this.server.isMine(id) && (id !== room || stays === this.server.stays)
        const known = id === 'self' ? this.engine.self.rev : this.engine.conversations.get(id)?.rev ?? -1
        if (isSame && known < rev) this.broken.push(`C1: a sync has ended, and ${id} is at ${known}, not ${rev}`)
      }
    }, () => {})
  }

  /** After it was let into the room; the server never says that it is not there. */
  join (sync: () => Promise<void>, isHeard: () => boolean): void {
    const { era, stays } = this.server
    awaitConversation(this.core, room, sync, undefined).catch((error: unknown) => {
      const isMember = this.server.isMember && stays === this.server.stays && era === this.server.era
      const isMissed = asTidelogError(error).code === 'UNAVAILABLE'
      if (isMember && isMissed && isHeard()) this.broken.push('C1: the room is there, and said not to be')
    })
  }

  /** Opens a window, or moves it. */
  look (place: number, pick: number): void {
    const id = places[place]!
    const window = this.windows.get(id)
    if (window === undefined) {
      this.windows.set(id, new TimelineWindow(this.core, id, { at: pick === 0 ? 'unread' : 'newest', pageSize }))
      return
    }
    const moves = [
      () => window.loadOlder(),
      () => window.loadNewer(),
      () => window.jumpTo('newest'),
      () => window.jumpTo(pick),
      () => window.jumpTo('unread')
    ]
    moves[pick % moves.length]!().catch(() => {})
  }

  /** When nothing is under way any more: what a window shows is whole, and ends with the newest if it says so. */
  brokenWindows (): string[] {
    return [...this.windows].flatMap(([id, window]) => {
      // One that waits for a page which could not be fetched stays where it is.
      const { place } = window as unknown as { place: unknown }
      const isHeld = (this.engine.conversations.get(id)?.ranges.length ?? 0) > 0
      if (place !== undefined || !isHeld) return []
      const visible = this.server.visible(id)
      const shown = window.messages.get().flatMap(({ seq, text, isDeleted, status }) => {
        // A change that was refused is shown, so that the user can give it up.
        const there = status === 'failed' ? visible.find(message => message.seq === seq)?.message : undefined
        return seq === undefined ? [] : { seq, text: there ?? text, isDeleted }
      })
      const [first] = shown
      const from = window.hasOlder.get() ? first?.seq ?? Infinity : 0
      const to = window.hasNewer.get() ? shown.at(-1)?.seq ?? 0 : Infinity
      const there = visible.filter(({ seq }) => seq >= from && seq <= to)
      const expected = there.map(({ seq, message, isDeleted }) => ({ seq, text: message, isDeleted }))
      if (JSON.stringify(shown) === JSON.stringify(expected)) return []
      const [is, not] = [shown, expected].map(list => list.map(({ seq, text }) => `${seq} ${text}`).join())
      return [`C3: a window of ${id} shows ${is}, not ${not}`]
    })
  }
}
