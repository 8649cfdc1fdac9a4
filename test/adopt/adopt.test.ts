import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { type Db, type Document, MongoClient, ObjectId } from 'mongodb'
import t from 'tap'
import { Adoption, dryRun } from '../../src/adopt/adopt.ts'
import { examine } from '../../src/doctor/index.ts'
import { ConversationLog } from '../../src/log/conversation-log.ts'
import { changeSource, fillSource, oldId, user } from './old-backend.ts'

interface Suite { teardown: (end: () => Promise<unknown>) => void }

async function database (t: Suite) {
  const engine = await startEmbeddedMongo({ inMemory: true })
  const client = await MongoClient.connect(engine.uri, { ignoreUndefined: true, monitorCommands: true })
  t.teardown(async () => {
    await client.close()
    await engine.stop()
  })
  return { client, db: client.db('chat') }
}

/** An old backend, and an empty database that adopts it. */
async function twoDatabases (t: Suite) {
  const [old, own] = [await database(t), await database(t)]
  const source = { messages: old.db.collection<never>('directmessages'), users: old.db.collection<never>('users') }
  const log = await ConversationLog.open(own.client, own.db, { isSoleWriter: false })
  return { old: old.db, db: own.db, log, options: { source: source as never, ...own, log: log.collections } }
}

type Setting = Awaited<ReturnType<typeof twoDatabases>>

/** Everything that clients see, without the times of the self logs, which are those of the adoption. */
async function contentOf ({ log: { collections: { rows, heads, members } } }: Setting): Promise<Document> {
  const messages = await rows.find({ kind: 'message' }).sort({ conversationId: 1, rev: 1 }).toArray()
  const direct = await heads.find({ kind: 'direct' }).sort({ _id: 1 }).toArray()
  const own = await rows.find({ kind: { $in: ['membership', 'read'] } }).sort({ conversationId: 1, _id: 1 }).toArray()
  return {
    messages,
    direct,
    members: await members.find({}).sort({ _id: 1 }).toArray(),
    own: own.map(({ createdAt, updatedAt, rev, ...content }) => content)
  }
}

async function requireSound ({ options: { client }, db }: Setting): Promise<void> {
  const found: string[] = []
  await examine(client, db, { repair: false, onDefect: ({ code, detail }) => { found.push(`${code} ${detail}`) } })
  if (found.length > 0) throw new Error(found.join('\n'))
}

t.test('ragged messages are adopted, and the report lists what had to change', async t => {
  const setting = await twoDatabases(t)
  await fillSource(setting.old)
  const report = await (await Adoption.open(setting.options)).run()
  await requireSound(setting)
  const counts = Object.fromEntries([...report.codes].map(([code, { count }]) => [code, count]))
  t.strictSame(counts, {
    USER_ID: 2,
    ONESELF: 1,
    ID_REPLACED: 1,
    TIME_MISSING: 1,
    TIME_ORDER: 1,
    TYPE_UNKNOWN: 1,
    TEXT_MISSING: 1,
    TEXT_EMPTY: 1,
    USER_ROW: 1,
    USER_UNKNOWN: 1,
    READ_EARLIER: 2
  })
  const { messages, direct, members } = await contentOf(setting)
  t.equal(messages.length, report.rows)
  t.equal(report.messages, await setting.old.collection('directmessages').countDocuments())
  t.equal(direct.length, report.conversations)
  t.equal(members.length, 2 * direct.length)
  const first = await setting.log.collections.rows.findOne({ _id: oldId(1) })
  t.match(first, { seq: 2, message: 'number 1', messageType: 'text', createdAt: new Date('2024-01-01T00:00:01.000Z') })
  const tombstone = await setting.log.collections.rows.findOne({ _id: oldId(5) })
  t.match(tombstone, { isDeleted: true, seq: 6 })
  t.equal(tombstone?.message, undefined)
  t.match(await setting.db.collection('users').findOne({ _id: user(0) }), { username: 'user0', password: '$2b$10$x' })
  t.ok(report.lines().some(line => line.startsWith('left out ONESELF: 1: ')))
})

t.test('a dry run reports the same about the messages, and writes nothing', async t => {
  const setting = await twoDatabases(t)
  await fillSource(setting.old)
  const names = async () => (await setting.db.listCollections().toArray()).map(({ name }) => name as string).sort()
  const before = await names()
  const said = await dryRun({ source: setting.options.source })
  t.strictSame(await names(), before)
  t.equal(await setting.log.collections.rows.countDocuments(), 0)
  const report = await (await Adoption.open(setting.options)).run()
  const codesOf = ({ codes }: typeof report) => [...codes].map(([code, { count }]) => `${code} ${count}`)
    .filter(code => !code.startsWith('READ_EARLIER')).sort()
  t.strictSame(codesOf(said), codesOf(report))
  t.equal(said.rows, report.rows)
  t.equal(said.conversations, report.conversations)
})

t.test('several runs during changes give the same result as one run afterwards', async t => {
  const [followed, once] = [await twoDatabases(t), await twoDatabases(t)]
  await fillSource(followed.old)
  const adoption = await Adoption.open(followed.options)
  await adoption.run()
  const again = await adoption.run()
  t.strictSame([again.changed, again.conversations], [0, 0], 'a second run finds nothing to do')
  await changeSource(followed.old)
  t.ok((await adoption.run()).changed >= 3)
  await followed.old.collection('directmessages').deleteOne({ _id: oldId(2) })
  t.equal((await adoption.finish()).removed, 1)
  await requireSound(followed)

  await fillSource(once.old)
  await changeSource(once.old)
  await once.old.collection('directmessages').deleteOne({ _id: oldId(2) })
  await (await Adoption.open(once.options)).finish()
  await requireSound(once)
  t.strictSame(await contentOf(followed), await contentOf(once))
  await t.rejects(Adoption.open(once.options), { message: /^this adoption was finished at / })
})

t.test('a conversation to which a server has written is not changed', async t => {
  const setting = await twoDatabases(t)
  await fillSource(setting.old)
  await (await Adoption.open(setting.options)).run()
  const [head] = await setting.log.collections.heads.find({ kind: 'direct' }).sort({ _id: 1 }).toArray()
  const conversationId = head!._id
  const [, sender] = conversationId.split('_')
  await setting.log.commit({
    mutations: [{
      type: 'append',
      conversationId,
      row: { _id: new ObjectId(), kind: 'message', senderId: new ObjectId(sender), message: 'new', messageType: 'text' }
    }]
  })
  const before = await setting.log.collections.rows.find({ conversationId }).sort({ rev: 1 }).toArray()
  await setting.old.collection('directmessages').updateMany({}, { $set: { message: 'x', updatedAt: new Date() } })
  const report = await (await Adoption.open(setting.options)).run()
  t.equal(report.codes.get('IN_USE')?.count, 1)
  t.strictSame(await setting.log.collections.rows.find({ conversationId }).sort({ rev: 1 }).toArray(), before)
})

t.test('however much there is, no reply of a database holds more than 1,000 documents', async t => {
  const setting = await twoDatabases(t)
  const { old, options: { client, source } } = setting
  const people = Array.from({ length: 1_110 }, () => new ObjectId())
  const createdAt = new Date()
  await old.collection<Document>('directmessages').insertMany(people.map((senderId, index) => {
    return { _id: new ObjectId(), senderId, receiverId: people[(index + 1) % people.length], message: 'x', createdAt }
  }))
  await old.collection<Document>('users').insertMany(people.map((_id, index) => ({ _id, username: `user${index}` })))
  const sizes: number[] = []
  for (const one of [client, (source as unknown as { users: { db: Db } }).users.db.client]) {
    one.on('commandSucceeded', ({ reply }: { reply: Document }) => {
      const found = (reply['cursor'] as Document | undefined)?.['firstBatch'] ?? reply['cursor']?.['nextBatch'] ?? []
      sizes.push((found as unknown[]).length)
    })
  }
  await dryRun(setting.options)
  const adoption = await Adoption.open(setting.options)
  await adoption.run()
  t.match(await adoption.finish(), { messages: 1_110, changed: 0, removed: 0, users: 1_110 })
  t.equal(Math.max(...sizes), 1_000)
})

t.test('a run that is interrupted anywhere is completed by the next', async t => {
  const whole = await twoDatabases(t)
  await fillSource(whole.old)
  await (await Adoption.open(whole.options)).run()
  for (let cutAt = 1; ; cutAt++) {
    const setting = await twoDatabases(t)
    await fillSource(setting.old)
    let steps = 0
    const cut = () => { if (++steps === cutAt) throw new Error('cut') }
    const first = await Adoption.open({ ...setting.options, onProgress: cut })
    const wasCut = await first.run().then(() => false, () => true)
    await (await Adoption.open(setting.options)).run()
    await requireSound(setting)
    t.strictSame(await contentOf(setting), await contentOf(whole), `cut at step ${cutAt}`)
    if (!wasCut) break
  }
})
