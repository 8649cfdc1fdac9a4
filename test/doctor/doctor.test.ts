import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { MongoClient, ObjectId } from 'mongodb'
import t from 'tap'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { type Defect, type DefectCode, defects } from '../../src/doctor/defect.ts'
import { bumpEpoch } from '../../src/doctor/epoch.ts'
import { examine } from '../../src/doctor/index.ts'
import { indexNames } from '../../src/log/model/collections.ts'
import { readDatabaseIdentity } from '../../src/log/database-identity.ts'
import { ConversationLog } from '../../src/log/conversation-log.ts'
import type { Mutation } from '../../src/log/commit/plan.ts'
import { root } from '../helpers/process.ts'
import { type LogRow, type Member, memberKey, revOf, stateRowId, selfLogId, seqOf } from '../../src/log/model/types.ts'

const engine = await startEmbeddedMongo({ inMemory: true })
const client = await MongoClient.connect(engine.uri, { ignoreUndefined: true, writeConcern: { w: 'majority', journal: true } })
t.teardown(async () => {
  await client.close()
  await engine.stop()
})

const [ada, bob] = [new ObjectId('a'.repeat(24)), new ObjectId('b'.repeat(24))]
const dm = directId(ada.toHexString(), bob.toHexString())
const room = 'room_x'

let databases = 0
async function freshLog () {
  const db = client.db(`doctor${++databases}`)
  const log = await ConversationLog.open(client, db, { isSoleWriter: true })
  const { heads, members, rows } = log.collections
  return { db, log, conversations: heads, members, rows }
}

const message = (senderId: ObjectId, clientMessageId: string): Mutation => ({
  type: 'append',
  conversationId: dm,
  row: { _id: new ObjectId(), kind: 'message', senderId, receiverId: senderId === ada ? bob : ada, clientMessageId, bodyHash: 'h', message: 'hi', messageType: 'text' },
  open: { kind: 'direct', members: [{ userId: ada, role: 'member' }, { userId: bob, role: 'member' }] }
})

/** A direct conversation of ten messages, one edited, half of them read, and a room of two. */
async function healthy () {
  const database = await freshLog()
  const { log } = database
  for (let number = 1; number <= 10; number++) await log.commit({ mutations: [message(number % 2 === 0 ? ada : bob, `c${number}`)] })
  const third = (await database.rows.findOne({ conversationId: dm, seq: seqOf(3) }))!
  await log.commit({ mutations: [{ type: 'revise', conversationId: dm, rowId: third._id, decide: () => ({ set: { message: 'edited' } }) }] })
  await log.commit({ mutations: [{ type: 'read', conversationId: dm, userId: ada, seq: seqOf(5) }] })
  await log.commit({ mutations: [{ type: 'member', conversationId: room, userId: ada, role: 'owner', open: { kind: 'room', name: 'X', isPrivate: false, members: [] } }] })
  await log.commit({ mutations: [{ type: 'member', conversationId: room, userId: bob, role: 'member' }] })
  return database
}

type Healthy = Awaited<ReturnType<typeof healthy>>

async function diagnose ({ db }: Pick<Healthy, 'db'>, repair = false) {
  const found: Defect[] = []
  const result = await examine(client, db, { repair, onDefect: defect => { found.push(defect) } })
  return { ...result, codes: found.map(({ code }) => code), found }
}

/** Drops an index, so that what it forbids can be planted. */
const without = async ({ rows }: Healthy, name: string) => { await rows.dropIndex(name) }

const selfRow = (conversationId: string) => stateRowId(selfLogId(bob), 'membership', conversationId)

const planted: Array<[string, DefectCode[], RegExp, boolean, (database: Healthy) => Promise<unknown>]> = [
  ['a missing index', ['INDEX_MISSING'], /log\.conversation_updatedAt/, true, async database => { await without(database, indexNames.byTime) }],
  ['an index that is not unique', ['INDEX_DIFFERS'], /log\.conversation_seq/, false, async database => {
    await without(database, indexNames.bySeq)
    await database.rows.createIndex({ conversationId: 1, seq: 1 }, { name: indexNames.bySeq, partialFilterExpression: { seq: { $exists: true } } })
  }],
  ['an index that lets rows expire', ['INDEX_EXPIRES'], /log\.old/, false, ({ rows }) => rows.createIndex({ createdAt: 1 }, { name: 'old', expireAfterSeconds: 1_000_000 })],
  ['rows without a head', ['HEAD_MISSING'], /rows up to rev 11/, true, ({ conversations }) => conversations.deleteOne({ _id: dm })],
  ['members without a head and rows', ['HEAD_MISSING'], /members, and no rows/, false, async ({ conversations, rows }) => {
    await conversations.deleteOne({ _id: dm })
    await rows.deleteMany({ conversationId: dm })
  }],
  ['a head behind its rows', ['HEAD_BEHIND'], /headRev 9, and a row at rev 11; headSeq 8, and a message at seq 10/, true, ({ conversations }) =>
    conversations.updateOne({ _id: dm }, { $set: { headRev: revOf(9), headSeq: seqOf(8) } })],
  ['a head whose clock is behind', ['HEAD_BEHIND'], /clock 2020/, true, ({ conversations }) => conversations.updateOne({ _id: dm }, { $set: { clock: new Date('2020-01-01') } })],
  ['a lost last message', ['HEAD_AHEAD'], /headSeq 10, and the last message has seq 9/, false, ({ rows }) => rows.deleteOne({ conversationId: dm, seq: seqOf(10) })],
  ['a shared rev', ['INDEX_MISSING', 'REV_SHARED'], /rev 5/, false, async database => {
    await without(database, indexNames.byRev)
    await database.rows.updateOne({ conversationId: dm, rev: revOf(6) }, { $set: { rev: revOf(5) } })
  }],
  ['a shared seq', ['INDEX_MISSING', 'SEQ_SHARED', 'SEQ_MISSING'], /seq 5/, false, async database => {
    await without(database, indexNames.bySeq)
    await database.rows.updateOne({ conversationId: dm, seq: seqOf(6) }, { $set: { seq: seqOf(5) } })
  }],
  ['a lost message', ['SEQ_MISSING'], /seq 4$/, false, ({ rows }) => rows.deleteOne({ conversationId: dm, seq: seqOf(4) })],
  ['the lost first messages', ['SEQ_MISSING'], /seq 1 to 2$/, false, ({ rows }) => rows.deleteMany({ conversationId: dm, seq: { $lte: seqOf(2) } })],
  ['a message without a seq', ['SEQ_MISPLACED', 'HEAD_AHEAD'], /at rev 10 has no seq/, false, ({ rows }) => rows.updateOne({ conversationId: dm, seq: seqOf(10) }, { $unset: { seq: '' } })],
  ['a time that goes back', ['TIME_ORDER'], /rev 6 at 2020/, false, ({ rows }) => rows.updateOne({ conversationId: dm, rev: revOf(6) }, { $set: { updatedAt: new Date('2020-01-01') } })],
  ['a shared client id', ['INDEX_MISSING', 'CLIENT_ID_SHARED'], /c2 of a{24}/, false, async database => {
    await without(database, indexNames.byClientId)
    await database.rows.updateOne({ conversationId: dm, clientMessageId: 'c4' }, { $set: { clientMessageId: 'c2' } })
  }],
  ['a read position beyond the end', ['READ_AHEAD'], /up to seq 99 of 10/, false, ({ members }) => members.updateOne({ _id: memberKey(dm, ada) }, { $set: { readSeq: seqOf(99) } })],
  ['a wrong count of members', ['MEMBER_COUNT'], /2 members, and the head says 7/, true, ({ conversations }) => conversations.updateOne({ _id: room }, { $set: { memberCount: 7 } })],
  ['an own log that lacks a membership', ['OWN_LOG'], /user b{24} is member, and the own log says nothing of it/, true, ({ rows }) => rows.deleteOne({ _id: selfRow(room) })],
  ['an own log with another role', ['OWN_LOG', 'OWN_LOG'], /is member, and the own log says owner/, true, ({ rows }) => rows.updateOne({ _id: selfRow(room) }, { $set: { role: 'owner' } })],
  ['an own log that names a lost membership', ['MEMBER_COUNT', 'OWN_LOG'], /is no member, and the own log says member/, true, ({ members }) => members.deleteOne({ _id: memberKey(room, bob) })]
]

t.test('a healthy database has no defects', async t => {
  const { codes, conversations, rows } = await diagnose(await healthy())
  t.strictSame(codes, [])
  t.equal(conversations, 4, 'the two conversations and two own logs')
  // Ten messages and two members; in the own logs two memberships each, and one read position.
  t.equal(rows, 17)
})

for (const [what, codes, detail, repairable, plant] of planted) {
  t.test(`finds ${what}${repairable ? ', and repairs it' : ', and leaves it'}`, async t => {
    const database = await healthy()
    await plant(database)
    const before = await diagnose(database)
    t.strictSame(before.codes.sort(), [...codes].sort())
    t.ok(before.found.some(defect => detail.test(defect.detail)), JSON.stringify(before.found))
    t.equal(before.left, codes.length, 'it only looks')

    const repaired = await diagnose(database, true)
    const after = await diagnose(database)
    // An index cannot be made while rows share what it makes unique.
    t.strictSame(after.codes.sort(), repairable ? [] : [...codes].sort())
    t.equal(repaired.left, after.codes.length, 'it says what is left')
  })
}

t.test('clients get a repaired membership as a change of the self log', async t => {
  const database = await healthy()
  const { rows, conversations, db } = database
  const before = (await conversations.findOne({ _id: selfLogId(bob) }))!
  await rows.deleteOne({ _id: selfRow(room) })
  await diagnose({ db }, true)
  const after = (await conversations.findOne({ _id: selfLogId(bob) }))!
  t.equal(after.headRev, before.headRev + 1)
  t.equal(after.memberRev, after.headRev, 'a cached list of the conversations is not believed any more')
  t.match(await rows.findOne({ _id: selfRow(room) }), { rev: after.headRev, about: room, role: 'member' })
})

t.test('a rebuilt head serves like the lost one', async t => {
  const { conversations, db } = await healthy()
  const lost = (await conversations.findOneAndDelete({ _id: room }))!
  await diagnose({ db }, true)
  const { createdAt, ...made } = (await conversations.findOne({ _id: room }))!
  t.match(made, { kind: lost.kind, headRev: lost.headRev, headSeq: lost.headSeq, memberCount: 2 })
})

t.test('a rebuilt head assigns no seq of a purged message again', async t => {
  const { log, rows, conversations, db } = await healthy()
  await log.commit({ mutations: [{ type: 'purge', conversationId: dm, throughSeq: seqOf(10) }] })
  await rows.deleteMany({ conversationId: dm, seq: { $lte: seqOf(10) } })
  const lost = (await conversations.findOneAndDelete({ _id: dm }))!
  await diagnose({ db }, true)
  t.match(await conversations.findOne({ _id: dm }), { headRev: lost.headRev, headSeq: 10, purgedSeq: 10 })
  t.strictSame((await diagnose({ db })).codes, [])
})

t.test('pins of messages that are gone are ended by a commit, and a head learns of its pins', async t => {
  const { log, rows, conversations, db } = await healthy()
  const messages = await rows.find({ conversationId: dm, kind: 'message' }).sort({ seq: 1 }).limit(2).toArray()
  for (const { _id } of messages) {
    await log.commit({ mutations: [{ type: 'pin', conversationId: dm, rowId: _id, on: true, check: () => {} }] })
  }
  t.strictSame((await diagnose({ db })).codes, [])
  await rows.updateOne({ _id: messages[0]!._id }, { $set: { isDeleted: true } })
  t.strictSame((await diagnose({ db }, true)).codes, ['PINS'])
  const pins = (await rows.findOne({ conversationId: dm, kind: 'pins' }))!
  t.match(pins.pins, [{ messageId: messages[1]!._id }])
  t.match(await conversations.findOne({ _id: dm }), { headRev: pins.rev, pinsRev: pins.rev })
  await conversations.updateOne({ _id: dm }, { $unset: { pinsRev: '' } })
  t.strictSame((await diagnose({ db }, true)).codes, ['PINS'])
  t.match(await conversations.findOne({ _id: dm }), { headRev: pins.rev, pinsRev: pins.rev })
})

t.test('purged messages are not reported as missing', async t => {
  const { log, rows, db } = await healthy()
  await log.commit({ mutations: [{ type: 'purge', conversationId: dm, throughSeq: seqOf(7) }] })
  await rows.deleteMany({ conversationId: dm, seq: { $lte: seqOf(7) } })
  t.strictSame((await diagnose({ db })).codes, [])
})

t.test('a database under load shows no defects', async t => {
  const { log, db, rows } = await healthy()
  const stop = new AbortController()
  const written: number[] = []
  const write = async (writer: number) => {
    for (let number = 0; !stop.signal.aborted; number++) {
      await log.commit({ mutations: [message(ada, `w${writer}-${number}`)] })
      const row = (await rows.findOne<LogRow>({ conversationId: dm, clientMessageId: `w${writer}-${number}` }))!
      await log.commit({ mutations: [{ type: 'revise', conversationId: dm, rowId: row._id, decide: () => ({ set: { message: 'again' } }) }] })
      await log.commit({ mutations: [{ type: 'member', conversationId: room, userId: bob, role: (member: Member | null) => member === null ? 'member' : null }] })
      await log.commit({ mutations: [{ type: 'read', conversationId: dm, userId: bob, seq: seqOf(1_000_000) }] })
      written.push(number)
    }
  }
  const writers = Promise.all([write(1), write(2), write(3)])
  let rounds = 0
  const codes: DefectCode[] = []
  while (rounds < 10 || written.length < 30) {
    codes.push(...(await diagnose({ db })).codes)
    rounds++
  }
  stop.abort()
  await writers
  t.strictSame(codes, [])
})

t.test('OPERATIONS lists every defect and whether it is repaired', async t => {
  const page = await readFile(join(root, 'docs/OPERATIONS.md'), 'utf8')
  const listed = [...page.matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) \|.*\| (.*) \|$/gm)].flatMap(([, codes, repair]) =>
    [...codes!.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => [code!, !repair!.startsWith('no')] as const))
  t.strictSame(Object.fromEntries(listed), Object.fromEntries(Object.entries(defects).map(([code, { repairable }]) => [code, repairable])))
})

t.test('a new epoch makes older cursors unusable', async t => {
  const { db, log } = await healthy()
  t.equal(await bumpEpoch(db), true)
  const { epoch } = await readDatabaseIdentity(db)
  t.not(epoch, log.cursors.epoch)
  t.equal(await bumpEpoch(client.db('unused')), false, 'a database that no server has used has none')
})
