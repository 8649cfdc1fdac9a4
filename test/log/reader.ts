import type { LogCollections } from '../../src/log/model/collections.ts'
import { type Page, changesAfter, changesSince, pageEndRev } from '../../src/log/read/page.ts'
import { type Head, type LogRow, type Rev, revOf } from '../../src/log/model/types.ts'
import { pageTime } from '../../src/sync/legacy/page-time.ts'
import type { Books } from './books.ts'
import type { Schedule } from './schedule.ts'

/** The cursor after a page; `headNow` reads the head once more, which only a mutant does. */
export type EndOfPage = (page: Page, head: Head, after: Rev, headNow: () => Promise<Head | undefined>) => Rev | Promise<Rev>

interface ReaderOptions {
  conversationId: string
  /** By time as the first clients do, who know nothing else. */
  by: 'rev' | 'time'
  limit: number
  endOfPage: EndOfPage | undefined
}

/** A client that keeps what it was sent, newest rev first served, and asks for the rest by its cursor. */
export class Reader {
  readonly options: ReaderOptions
  readonly held = new Map<string, LogRow>()
  caughtUp = false
  private readonly collections: LogCollections
  private readonly schedule: Schedule
  private readonly books: Books
  private after: Rev = revOf(0)
  private since = new Date(0)

  constructor (collections: LogCollections, schedule: Schedule, books: Books, options: ReaderOptions) {
    this.collections = collections
    this.schedule = schedule
    this.books = books
    this.options = options
  }

  /** Some pages while others write. */
  async follow (): Promise<void> {
    for (let pages = 0; pages < 12; pages++) {
      for (let pause = this.schedule.below(6); pause > 0; pause--) await this.schedule.turn('reader')
      await this.page().catch(() => true)
    }
  }

  async catchUp (): Promise<void> {
    while (await this.page());
    this.caughtUp = true
  }

  private async page (): Promise<boolean> {
    const { conversationId, by } = this.options
    const head = await this.head()
    if (head === undefined) return false
    const page = await (by === 'rev'
      ? changesAfter(this.collections, conversationId, this.after, this.options.limit)
      : changesSince(this.collections, conversationId, this.since, this.options.limit))
    for (const stored of page.rows) {
      const row = stored.decode()
      const id = row._id.toHexString()
      if (row.rev > (this.held.get(id)?.rev ?? 0)) this.held.set(id, row)
    }
    if (by === 'rev') {
      this.after = await (this.options.endOfPage ?? pageEndRev)(page, head, this.after, () => this.head())
    } else {
      this.since = pageTime(page, head)
    }
    if (!page.hasMore) this.books.checkPage(conversationId, this.held, head.headRev)
    return page.hasMore
  }

  private async head (): Promise<Head | undefined> {
    return (await this.collections.heads.find({ _id: this.options.conversationId }).toArray())[0]
  }
}
