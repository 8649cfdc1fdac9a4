import type { Collection, Filter } from 'mongodb'
import type { AdoptCollections, StagedMessage } from './collections.ts'
import { type OldMessage, convert } from './convert.ts'
import type { Report } from './report.ts'

/** Messages that are read and compared at a time. Without a number, a reply of the database holds up to 16 MiB. */
const messagesAtOnce = 1_000

export interface StageOptions {
  report: Report
  onProgress: () => void
}

/**
 * Copies old messages that are new or have changed, and marks their conversations. A pass that is cut short is begun
 * again: messages that are staged already are compared and left alone.
 * @param since only those that have changed since this time; undefined: all
 */
export async function stageMessages (
  source: Collection<OldMessage>, adoption: AdoptCollections, since: Date | undefined, options: StageOptions
): Promise<void> {
  const later = { $gte: since }
  const filter = since === undefined ? {} : { $or: [{ updatedAt: later }, { createdAt: later }] } as Filter<OldMessage>
  const some: OldMessage[] = []
  for await (const old of source.find(filter).batchSize(messagesAtOnce)) {
    some.push(old as OldMessage)
    if (some.length === messagesAtOnce) await stage(some.splice(0), adoption, options)
  }
  if (some.length > 0) await stage(some, adoption, options)
}

async function stage (
  old: readonly OldMessage[], { staged, conversations }: AdoptCollections, { report, onProgress }: StageOptions
): Promise<void> {
  const messages = convertAll(old, report)
  const stored = await staged.find({ _id: { $in: messages.map(({ _id }) => _id) } })
    .project<Pick<StagedMessage, '_id' | 'hash' | 'conversationId'>>({ hash: 1, conversationId: 1 }).toArray()
  const known = new Map(stored.map(one => [one._id.toHexString(), one]))
  const changed = messages.filter(({ _id, hash }) => known.get(_id.toHexString())?.hash !== hash)
  report.changed += changed.length
  if (changed.length > 0) {
    // Marked first: after an interruption in between, a conversation is built once too often, never too seldom.
    const moved = changed.flatMap(({ _id }) => known.get(_id.toHexString())?.conversationId ?? [])
    await markDirty(conversations, new Set([...changed.map(({ conversationId }) => conversationId), ...moved]))
    await staged.bulkWrite(changed.map(message => known.has(message._id.toHexString())
      ? { replaceOne: { filter: { _id: message._id }, replacement: message } }
      : { insertOne: { document: message } }
    ), { ordered: false })
  }
  onProgress()
}

/** Converts messages; of two with one id, the later. */
export function convertAll (old: readonly OldMessage[], report: Report): StagedMessage[] {
  const messages = new Map<string, StagedMessage>()
  for (const one of old) {
    report.messages++
    const { message, codes } = convert(one)
    for (const code of codes) report.add(code, String(one._id))
    if (message !== undefined) messages.set(message._id.toHexString(), message)
  }
  return [...messages.values()]
}

async function markDirty (conversations: AdoptCollections['conversations'], ids: ReadonlySet<string>): Promise<void> {
  await conversations.bulkWrite([...ids].map(_id => {
    return { updateOne: { filter: { _id }, update: { $set: { isDirty: true } }, upsert: true } }
  }), { ordered: false })
}

type StagedId = Pick<StagedMessage, '_id' | 'oldId' | 'conversationId'>

/** Forgets messages that the old backend no longer has, and marks their conversations. */
export async function unstageRemoved (
  source: Collection<OldMessage>, { staged, conversations }: AdoptCollections, { report, onProgress }: StageOptions
): Promise<void> {
  const check = async (some: readonly StagedId[]) => {
    const ids = some.map(({ _id, oldId }) => oldId ?? _id) as never[]
    const found = await source.find({ _id: { $in: ids } }).project<OldMessage>({ _id: 1 }).toArray()
    const there = new Set(found.map(({ _id }) => String(_id)))
    const gone = some.filter(({ _id, oldId }) => !there.has(String(oldId ?? _id)))
    if (gone.length > 0) {
      await markDirty(conversations, new Set(gone.map(({ conversationId }) => conversationId)))
      await staged.deleteMany({ _id: { $in: gone.map(({ _id }) => _id) } })
      report.removed += gone.length
    }
    onProgress()
  }
  const some: StagedId[] = []
  const all = staged.find({}).project<StagedId>({ oldId: 1, conversationId: 1 })
  for await (const one of all.batchSize(messagesAtOnce)) {
    some.push(one)
    if (some.length === messagesAtOnce) await check(some.splice(0))
  }
  if (some.length > 0) await check(some)
}
