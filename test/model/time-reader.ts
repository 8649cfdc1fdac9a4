import type { LogCollections } from '../../src/log/model/collections.ts'
import { changesSince } from '../../src/log/read/page.ts'
import type { Head, LogRow } from '../../src/log/model/types.ts'
import { pageTime } from '../../src/sync/legacy/page-time.ts'
import type { Books } from './books.ts'
import type { Schedule } from './schedule.ts'
import { direct } from './units.ts'

/** A legacy client of the direct conversation: it keeps the messages that it gets, and knows only a time. */
export class TimeReader {
  readonly held = new Map<string, LogRow>()
  caughtUp = false
  private readonly limit: number
  private readonly collections: LogCollections
  private readonly schedule: Schedule
  private readonly books: Books
  private since = new Date(0)

  constructor (
    { collections, schedule, books }: { collections: LogCollections, schedule: Schedule, books: Books },
    limit: number
  ) {
    this.collections = collections
    this.schedule = schedule
    this.books = books
    this.limit = limit
  }

  /** Reads some pages while others write. */
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

  /** @returns whether there is more */
  private async page (): Promise<boolean> {
    const { collections } = this
    const head: Head | undefined = (await collections.heads.find({ _id: direct }).toArray())[0]
    if (head === undefined) return false
    const page = await changesSince(collections, direct, this.since, this.limit)
    for (const stored of page.rows) {
      const row = stored.decode()
      if (row.kind !== 'message') continue
      const id = row._id.toHexString()
      if (row.rev > (this.held.get(id)?.rev ?? 0)) this.held.set(id, row)
    }
    this.since = pageTime(page, head)
    if (!page.hasMore) this.books.checkPage(direct, this.held, head.headRev)
    return page.hasMore
  }
}
