import { LRUCache } from 'lru-cache'
import { indexNames } from '../../log/model/collections.ts'
import type { ConversationLog } from '../../log/conversation-log.ts'
import { type Head, type LogRow, type OwnSettings, type Rev, revOf, selfLogId } from '../../log/model/types.ts'

type Settings = ReadonlyMap<string, OwnSettings>

const none: Settings = new Map()
/** Settings that are cached, of all users together. */
const settingsMax = 400_000

/**
 * Each user's settings by conversation: rows of their self log, cached until its head shows a change. Only the changed
 * settings are read again.
 */
export class SettingsDirectory {
  private readonly cache = new LRUCache<string, { rev: Rev, settings: Settings }>({
    maxSize: settingsMax, sizeCalculation: ({ settings }) => settings.size + 1
  })

  private readonly log: ConversationLog

  constructor (log: ConversationLog) {
    this.log = log
  }

  /** The settings as of the self log's head or later. */
  async of (userId: string, selfHead: Head | undefined): Promise<Settings> {
    const rev = selfHead?.settingsRev
    if (rev === undefined) return none
    const before = this.cache.get(userId)
    if (before !== undefined && before.rev >= rev) return before.settings
    const rows = before === undefined ? await this.readAll(userId) : await this.readSince(userId, before.rev)
    const settings = new Map([...before?.settings ?? none, ...rows.map(row => [row.about!, row] as const)])
    this.cache.set(userId, { rev: revOf(Math.max(rev, ...rows.map(row => row.rev))), settings })
    return settings
  }

  private async readAll (userId: string): Promise<LogRow[]> {
    return await this.log.collections.rows
      .find({ conversationId: selfLogId(userId), kind: 'settings' })
      .hint(indexNames.bySettings)
      .toArray()
  }

  private async readSince (userId: string, rev: Rev): Promise<LogRow[]> {
    return await this.log.collections.rows
      .find({ conversationId: selfLogId(userId), kind: 'settings', rev: { $gt: rev } })
      .sort({ rev: 1 })
      .hint(indexNames.byRev)
      .toArray()
  }
}
