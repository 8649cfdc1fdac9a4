import type { Core } from '../core.ts'
import { TidelogError } from '../shared.ts'
import type { CallOptions } from '../types.ts'

/** The server's limit of one question. */
const idsMax = 100
/** Milliseconds before its end at which a URL is asked for again: who plays a video goes on using it. */
const spareMs = 300_000

interface FileUrl { url: string, expiresAt: number }
type FileUrls = ReadonlyMap<string, FileUrl>

/** URLs of the content of files: those that a page shows are asked for together, and kept while they are good. */
export class UrlCache {
  private readonly core: Core
  private readonly held = new Map<string, FileUrl>()
  /** Those that are asked for next, and their answer. */
  private asking: { ids: Set<string>, answer: Promise<FileUrls> } | undefined

  constructor (core: Core) {
    this.core = core
    core.changed.add(changed => { if (changed === 'all') this.held.clear() })
  }

  /** @throws TidelogError NOT_FOUND if the user may not read it, OFFLINE */
  async get (id: string, { signal }: CallOptions = {}): Promise<string> {
    const held = this.held.get(id)
    const found = held !== undefined && this.isGood(held) ? held : (await this.ask(id)).get(id)
    if (signal?.aborted === true) throw new TidelogError({ code: 'ABORTED' })
    if (found === undefined) throw new TidelogError({ code: 'NOT_FOUND', status: 404 })
    return found.url
  }

  private isGood ({ expiresAt }: FileUrl): boolean {
    return expiresAt - spareMs > this.core.clock.now()
  }

  private ask (id: string): Promise<FileUrls> {
    if (this.asking === undefined || this.asking.ids.size === idsMax) {
      const ids = new Set<string>()
      // What is drawn in one go is asked for in one question.
      this.asking = { ids, answer: Promise.resolve().then(() => this.fetch(ids)) }
    }
    this.asking.ids.add(id)
    return this.asking.answer
  }

  private async fetch (ids: Set<string>): Promise<FileUrls> {
    if (this.asking?.ids === ids) this.asking = undefined
    const { http } = this.core
    const { links } = await http.call<{ links: Record<string, { url: string, expiresAt: string }> }>(
      'POST', '/api/files/links', { body: { fileIds: [...ids] } }
    )
    const news = new Map(Object.entries(links).map(([id, { url, expiresAt }]) =>
      [id, { url: http.url + url, expiresAt: Date.parse(expiresAt) }]))
    for (const [id, one] of this.held) if (!this.isGood(one)) this.held.delete(id)
    for (const [id, one] of news) this.held.set(id, one)
    return news
  }
}
