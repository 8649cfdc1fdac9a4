import type { Collection, Db, MongoClient } from 'mongodb'
import type { LogCollections } from '../log/model/collections.ts'
import type { UserRow } from '../users/user-row.ts'
import { buildConversations } from './build.ts'
import { type AdoptCollections, openAdoption } from './collections.ts'
import { type OldMessage, idOf } from './convert.ts'
import { Report } from './report.ts'
import { type StageOptions, convertAll, stageMessages, unstageRemoved } from './stage.ts'
import { adoptUsers } from './users.ts'

/**
 * Milliseconds by which a search for changes overlaps the one before: the old backend may store a message a little
 * later than its time says.
 */
const overlapMs = 300_000
/** Messages or users that are read at a time. */
const readAtOnce = 1_000

export interface AdoptionOptions {
  /** Where the old messages are, and the old users. */
  source: { messages: Collection<OldMessage>, users: Collection<OldMessage> }
  client: MongoClient
  db: Db
  log: LogCollections
  onProgress?: (report: Report) => void
}

/** Brings old messages into the log. Every step can be cut short and taken again. */
export class Adoption {
  private readonly options: AdoptionOptions
  private readonly adoption: AdoptCollections

  private constructor (options: AdoptionOptions, adoption: AdoptCollections) {
    this.options = options
    this.adoption = adoption
  }

  /** @throws Error if it was finished: another run would overwrite what clients have changed since */
  static async open (options: AdoptionOptions): Promise<Adoption> {
    const adoption = await openAdoption(options.db)
    const state = await adoption.state.findOne({ _id: 'state' })
    if (state?.finishedAt !== undefined) {
      throw new Error(`this adoption was finished at ${state.finishedAt.toISOString()}`)
    }
    return new Adoption(options, adoption)
  }

  /** Takes over what is new or changed since the last run; everything, the first time. */
  async run (): Promise<Report> {
    const state = await this.adoption.state.findOne({ _id: 'state' })
    const since = state?.passedAt === undefined ? undefined : new Date(state.passedAt.getTime() - overlapMs)
    return await this.pass(since)
  }

  /**
   * Compares everything once more, deletions too, and ends the adoption. Call it when the old backend has stopped.
   */
  async finish (): Promise<Report> {
    const report = await this.pass(undefined, true)
    if (!report.codes.has('IN_USE')) {
      await this.adoption.staged.drop()
      await this.adoption.conversations.drop()
    }
    await this.adoption.state.updateOne({ _id: 'state' }, { $set: { finishedAt: new Date() } }, { upsert: true })
    return report
  }

  private async pass (since: Date | undefined, isLast = false): Promise<Report> {
    const { source, client, log, db, onProgress = () => {} } = this.options
    const report = new Report()
    const options: StageOptions = { report, onProgress: () => { onProgress(report) } }
    const passedAt = new Date()
    await adoptUsers(source.users, db.collection<UserRow>('users'), options)
    await stageMessages(source.messages, this.adoption, since, options)
    if (isLast) await unstageRemoved(source.messages, this.adoption, options)
    await this.adoption.state.updateOne({ _id: 'state' }, { $set: { passedAt } }, { upsert: true })
    await buildConversations({ client, log, adoption: this.adoption, ...options })
    await reportUnknownUsers(db, log, report)
    return report
  }
}

/** What an adoption would say, without writing anything. */
export async function dryRun (
  { source, onProgress = () => {} }: Pick<AdoptionOptions, 'source' | 'onProgress'>
): Promise<Report> {
  const report = new Report()
  const conversations = new Set<string>()
  const userIds = new Set<string>()
  const look = (old: OldMessage[]) => {
    for (const { conversationId, senderId, receiverId } of convertAll(old, report)) {
      conversations.add(conversationId)
      userIds.add(senderId.toHexString()).add(receiverId.toHexString())
      report.rows++
    }
    onProgress(report)
  }
  const some: OldMessage[] = []
  for await (const old of source.messages.find({}).batchSize(readAtOnce)) {
    some.push(old as OldMessage)
    if (some.length === readAtOnce) look(some.splice(0))
  }
  look(some)
  for await (const { _id } of source.users.find({}).project<OldMessage>({ _id: 1 }).batchSize(readAtOnce)) {
    const id = idOf(_id)
    if (id === undefined) report.add('USER_ROW', String(_id))
    else userIds.delete(id.toHexString())
    report.users++
  }
  for (const id of userIds) report.add('USER_UNKNOWN', id)
  report.conversations = conversations.size
  return report
}

/** Names users who have messages, but no row. */
async function reportUnknownUsers (db: Db, { heads }: LogCollections, report: Report): Promise<void> {
  const check = async (ids: string[]) => {
    const users = ids.flatMap(id => idOf(id) ?? [])
    const rows = db.collection<UserRow>('users').find({ _id: { $in: users } })
    const found = await rows.project<Pick<UserRow, '_id'>>({ _id: 1 }).toArray()
    const known = new Set(found.map(({ _id }) => _id.toHexString()))
    for (const id of ids) if (!known.has(id)) report.add('USER_UNKNOWN', id)
  }
  const some: string[] = []
  const selfLogs = heads.find({ kind: 'self' }).project<{ _id: string }>({ _id: 1 })
  for await (const { _id } of selfLogs.batchSize(readAtOnce)) {
    some.push(_id.slice('self_'.length))
    if (some.length === readAtOnce) await check(some.splice(0))
  }
  await check(some)
}
