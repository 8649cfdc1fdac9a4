import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { BSON, type Document, MongoClient, ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import { type LogCollections, ensureLogIndexes, logCollections } from '../../../src/log/model/collections.ts'
import { type CommitOptions, type CommittedBatch, Committer } from '../../../src/log/commit/committer.ts'
import { changesAfter, changesSince, messagesBefore } from '../../../src/log/read/page.ts'
import { type SendStatements, bulkSender } from '../../../src/log/commit/statements.ts'
import { commitPlan } from '../../../src/log/commit/transaction.ts'
import { type Mutation, type UnitOutcome, type CommitUnit, planBatch } from '../../../src/log/commit/plan.ts'
import { type LogRow, type Seq, revOf, seqOf } from '../../../src/log/model/types.ts'

/** The log on the real driver and the embedded engine. Two committers that share no heads are two nodes to it. */

const engine = await startEmbeddedMongo({ inMemory: true })
const client = await new MongoClient(engine.uri, { readConcern: { level: 'majority' }, writeConcern: { w: 'majority', journal: true }, ignoreUndefined: true, monitorCommands: true }).connect()
t.teardown(async () => {
  await client.close()
  await engine.stop()
})

const [alice, bob] = [new ObjectId(), new ObjectId()]
const direct = 'dm_alice_bob'
let databases = 0

interface Nodes {
  collections: LogCollections
  node: (options?: Partial<CommitOptions>) => Committer
  committed: CommittedBatch[]
}

async function openNodes (send?: SendStatements): Promise<Nodes> {
  const collections = logCollections(client.db(`log${databases++}`))
  await ensureLogIndexes(collections)
  const committed: CommittedBatch[] = []
  return {
    collections,
    committed,
    node: options => new Committer(
      client,
      collections,
      { isSoleWriter: false, onCommitted: each => { committed.push(each) }, ...options },
      { write: (plan, log, session) => commitPlan(plan, log, session, send) }
    )
  }
}

function message (text: string, clientMessageId?: string, senderId = alice): CommitUnit {
  const change: Mutation = {
    type: 'append',
    conversationId: direct,
    row: {
      _id: new ObjectId(),
      kind: 'message',
      senderId,
      receiverId: senderId === alice ? bob : alice,
      message: text,
      ...(clientMessageId === undefined ? {} : { clientMessageId, bodyHash: text })
    },
    open: { kind: 'direct', members: [{ userId: alice, role: 'member' }, { userId: bob, role: 'member' }] }
  }
  return { mutations: [change] }
}

function edit (rowId: ObjectId, text: string): CommitUnit {
  return { mutations: [{ type: 'revise', conversationId: direct, rowId, decide: () => ({ set: { message: text } }) }] }
}

const read = (seq: number): CommitUnit => ({ mutations: [{ type: 'read', conversationId: direct, userId: bob, seq: seqOf(seq) }] })
const rowOf = (outcome: UnitOutcome): LogRow => 'rows' in outcome ? outcome.rows[0]! : (outcome as Extract<UnitOutcome, { row: LogRow }>).row

/** On a server with MongoDB 8's `bulkWrite` and on one without it. */
const bothWays = {
  test (title: string, run: (t: Test, nodes: () => Promise<Nodes>) => Promise<void>): void {
    t.test(title, async t => { await run(t, openNodes) })
    t.test(`in one command: ${title}`, async t => { await run(t, () => openNodes(bulkSender(client))) })
  }
}

bothWays.test('I2: two nodes that open and write to one conversation at once leave no gap and share no rev', async (t, nodes) => {
  const { collections, node, committed } = await nodes()
  const [first, second] = [node({ attemptsMax: 200 }), node({ attemptsMax: 200, now: () => Date.now() - 60_000 })]
  const sent = (committer: Committer, name: string) => Array.from({ length: 60 }, async (_, index) => await committer.commit(message(`${name} ${index}`)))
  const outcomes = await Promise.all([...sent(first, 'first'), ...sent(second, 'second')])
  t.same([...new Set(outcomes.map(({ outcome }) => outcome))], ['committed'])
  const rows = await collections.rows.find({ conversationId: direct }).sort({ rev: 1 }).toArray()
  t.same(rows.map(({ rev, seq }) => [rev, seq]), Array.from({ length: 120 }, (_, index) => [index + 1, index + 1]))
  t.ok(rows.every((row, index) => index === 0 || row.updatedAt > rows[index - 1]!.updatedAt), 'times increase with rev')
  t.match(await collections.heads.findOne({ _id: direct }), { headRev: 120, headSeq: 120 })
  t.equal(await collections.members.countDocuments({ conversationId: direct }), 2)
  for (const name of ['first', 'second']) t.same(rows.flatMap(row => row.message?.startsWith(name) === true ? [row.message] : []), Array.from({ length: 60 }, (_, index) => `${name} ${index}`), 'promise 4')
  t.same(new Set(committed.flatMap(({ rows }) => rows.map(({ row }) => row.rev))).size, 120, 'each is delivered')
})

bothWays.test('no node starves while others write to the same conversation without a pause', async (t, nodes) => {
  const { node } = await nodes()
  const done = [0, 0, 0]
  const enough = () => done.every(count => count >= 15)
  await Promise.all(done.map(async (_, index) => {
    const committer = node()
    await Promise.all(['x', 'y', 'z'].map(async () => {
      while (!enough()) {
        await committer.commit(message(`${index}`))
        done[index]!++
      }
    }))
  }))
  t.ok(enough(), done.join(' '))
})

bothWays.test('I5: a clientMessageId sent to two nodes at once, and again later, is one message', async (t, nodes) => {
  const { collections, node } = await nodes()
  const [first, second] = [node(), node()]
  const outcomes = await Promise.all([first, second, first, second].map(async committer => await committer.commit(message('hi', 'c1'))))
  t.same(outcomes.map(({ outcome }) => outcome).sort(), ['committed', 'duplicate', 'duplicate', 'duplicate'])
  t.equal(new Set(outcomes.map(outcome => rowOf(outcome)._id.toHexString())).size, 1)
  t.match(await second.commit(message('hi', 'c1')), { outcome: 'duplicate', row: { seq: 1 } })
  t.match(await second.commit(message('ho', 'c1')), { outcome: 'mismatch', row: { message: 'hi' } })
  t.match(await second.commit(message('ho', 'c1', bob)), { outcome: 'committed' }, 'another sender may use it too')
  t.equal(await collections.rows.countDocuments({ kind: 'message' }), 2)
})

bothWays.test('a duplicate in a batch does not delay the others', async (t, nodes) => {
  const { node } = await nodes()
  const committer = node()
  await committer.commit(message('hi', 'c1'))
  const outcomes = await Promise.all(['a', 'hi', 'b'].map(async text => await committer.commit(message(text, text === 'hi' ? 'c1' : undefined))))
  t.match(outcomes, [{ outcome: 'committed' }, { outcome: 'duplicate' }, { outcome: 'committed' }])
  t.same(outcomes.map(outcome => rowOf(outcome).seq), [2, 1, 3])
})

bothWays.test('a unit that is committed twice is stored once', async (t, nodes) => {
  const { collections, node } = await nodes()
  const unit = message('hi')
  t.match(await node().commit(unit), { outcome: 'committed' })
  t.match(await node().commit(unit), { outcome: 'duplicate' })
  t.equal(await collections.rows.countDocuments({ kind: 'message' }), 1)
})

bothWays.test('an outdated cached head costs another try, and never loses an edit or a read', async (t, nodes) => {
  const { collections, node } = await nodes()
  const retries: string[] = []
  const [first, second] = [node(), node({ onRetry: ({ result }) => { retries.push(result) } })]
  const sent = rowOf(await second.commit(message('one')))
  await first.commit(message('two'))
  await first.commit(edit(sent._id, 'edited there'))
  t.match(await second.commit(read(2)), { outcome: 'committed', reads: [{ readSeq: 2 }] })
  t.same(retries, [], 'a read beyond the cached head asks for the head at once')
  await first.commit(message('three'))
  t.match(await second.commit(edit(sent._id, 'edited here')), { outcome: 'committed', rows: [{ rev: 5, seq: 1 }] })
  t.same(retries, ['conflict'])
  t.same((await collections.rows.find({ kind: 'message' }).sort({ rev: 1 }).toArray()).map(({ message }) => message), ['two', 'three', 'edited here'])
})

bothWays.test('what a stale row decided is decided again, even if that row is not written', async (t, nodes) => {
  const { collections, node } = await nodes()
  const writer = node()
  const sent = rowOf(await writer.commit(message('one')))
  await writer.commit(edit(sent._id, 'two'))
  const late: typeof planBatch = (units, input, now) => {
    t.ok(input.rows.has(sent._id.toHexString()))
    return planBatch(units, { ...input, rows: new Map([[sent._id.toHexString(), sent]]) }, now)
  }
  const plans = [late, planBatch]
  const retries: string[] = []
  const options: CommitOptions = { isSoleWriter: false, onRetry: ({ result }) => { retries.push(result) } }
  const reader = new Committer(client, collections, options, { plan: (...known) => plans.shift()!(...known) })
  const seen: Array<string | undefined> = []
  const check = ({ message }: LogRow) => { seen.push(message) }
  const pin: Mutation = { type: 'pin', conversationId: direct, rowId: sent._id, on: true, check }
  t.match(await reader.commit({ mutations: [pin] }), { outcome: 'committed', rows: [{ rev: 3, kind: 'pins' }] })
  t.same(seen, ['one', 'two'])
  t.same(retries, ['conflict'])
})

bothWays.test('a user who joins and leaves in one batch leaves one row and no member', async (t, nodes) => {
  const { collections, node } = await nodes()
  const committer = node()
  const member = (userId: ObjectId, role: 'owner' | 'member' | null): CommitUnit =>
    ({ mutations: [{ type: 'member', conversationId: 'room_x', userId, role, open: { kind: 'room', members: [] } }] })
  const opened = committer.commit(member(alice, 'owner'))
  const outcomes = await Promise.all([opened, committer.commit(member(bob, 'member')), committer.commit(member(bob, null))])
  t.match(outcomes, [{ outcome: 'committed' }, { outcome: 'committed' }, { outcome: 'committed' }])
  t.same((await collections.members.find({}).toArray()).map(({ userId }) => userId), [alice])
})

bothWays.test('a unit that the database refuses does not fail the others of its batch', async (t, nodes) => {
  const { collections, node } = await nodes()
  const committer = node()
  const outcomes = await Promise.allSettled([message('one'), message('two'), message('x'.repeat(17 << 20)), message('three')].map(async unit => await committer.commit(unit)))
  t.same(outcomes.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  t.match(outcomes[2], { reason: { code: 'INTERNAL' } })
  t.equal(await collections.rows.countDocuments({ kind: 'message' }), 3)
})

t.test('only the sole writer puts several conversations into one transaction', async t => {
  for (const isSoleWriter of [true, false]) {
    const { node } = await openNodes()
    let transactions = 0
    const count = ({ commandName }: { commandName: string }) => { if (commandName === 'commitTransaction') transactions++ }
    client.on('commandStarted', count)
    const committer = node({ isSoleWriter, concurrencyMax: 1 })
    await Promise.all(['self_a', 'self_b', 'self_c'].map(async conversationId => await committer.commit({
      mutations: [{ type: 'append', conversationId, row: { _id: new ObjectId(), kind: 'membership', userId: alice, role: null }, open: { kind: 'self', members: [] } }]
    })))
    client.off('commandStarted', count)
    t.equal(transactions, isSoleWriter ? 2 : 3, `share: ${isSoleWriter}`)
  }
})

t.test('a commit sends few commands: the database may be far away', async t => {
  const commandsOf = async (committer: Committer, unit: CommitUnit) => {
    const names: string[] = []
    const note = ({ commandName, command }: { commandName: string, command: Document }) => {
      names.push(typeof command[commandName] === 'string' ? `${commandName} ${command[commandName]}` : commandName)
    }
    client.on('commandStarted', note)
    const outcome = await committer.commit(unit)
    client.off('commandStarted', note)
    return { names, outcome }
  }
  const writes = {
    opens: ['insert conversations', 'insert members', 'insert log'],
    sends: ['update conversations', 'insert log'],
    edits: ['update conversations', 'update log']
  }
  for (const [send, { opens, sends, edits }] of [
    [undefined, writes], [bulkSender(client), { opens: ['bulkWrite'], sends: ['bulkWrite'], edits: ['bulkWrite'] }]
  ] as const) {
    const committer = (await openNodes(send)).node()
    const first = await commandsOf(committer, message('the first'))
    t.same(first.names, ['find conversations', 'find log', ...opens, 'commitTransaction'])
    t.same((await commandsOf(committer, message('the second'))).names, [...sends, 'commitTransaction'])
    const { names } = await commandsOf(committer, {
      mutations: [{ ...edit(rowOf(first.outcome)._id, 'edited').mutations[0]!, actor: alice } as Mutation]
    })
    t.same(names, ['find log', 'find members', ...edits, 'commitTransaction'])
  }
})

t.test('closing refuses new units and finishes the accepted ones, however often it is called', async t => {
  const { node } = await openNodes()
  const committer = node()
  const accepted = Promise.all([committer.commit(message('one')), committer.commit(message('two'))])
  const closed = Promise.all([committer.close(), committer.close()])
  await t.rejects(committer.commit(message('three')), { code: 'UNAVAILABLE' })
  await closed
  t.match(await accepted, [{ outcome: 'committed' }, { outcome: 'committed' }])
  await committer.close()
})

t.test('a full queue refuses at once, and only the first mutation of a unit may have a clientMessageId', async t => {
  const { node } = await openNodes()
  const committer = node({ queueMax: 1 })
  const accepted = [committer.commit(message('one')), committer.commit(message('two'))]
  await t.rejects(committer.commit(message('three')), { code: 'OVERLOADED' })
  await t.rejects(committer.commit({ mutations: [read(1).mutations[0]!, message('four', 'c1').mutations[0]!] }), TypeError)
  t.equal((await Promise.all(accepted)).length, 2)
})

t.test('every scan of a log reads an index in order, and no more than a page', async t => {
  const { collections, node } = await openNodes()
  const committer = node()
  const outcomes = await Promise.all(Array.from({ length: 40 }, async (_, index) => await committer.commit(message(`${index}`))))
  await Promise.all(outcomes.slice(0, 10).map(async outcome => await committer.commit(edit(rowOf(outcome)._id, 'edited'))))
  const limit = 5
  const scans: Record<string, (spied: LogCollections) => Promise<unknown>> = {
    'changes after a rev': async spied => await changesAfter(spied, direct, revOf(7), limit),
    'changes since a time': async spied => await changesSince(spied, direct, new Date(0), limit),
    'the newest messages': async spied => await messagesBefore(spied, direct, undefined, limit),
    'messages before a seq': async spied => await messagesBefore(spied, direct, seqOf(20), limit)
  }
  for (const [name, scan] of Object.entries(scans)) {
    const plan = await explained(collections, scan)
    const stages = stagesOf(plan['queryPlanner'].winningPlan)
    t.ok(stages.includes('IXSCAN'), `${name}: ${stages.join(' < ')}`)
    t.notOk(stages.includes('SORT') || stages.includes('COLLSCAN'), name)
    t.ok(plan['executionStats'].totalKeysExamined <= limit + 1, `${name}: ${plan['executionStats'].totalKeysExamined} keys`)
  }
  t.equal((await messagesBefore(collections, direct, 2 as Seq, limit)).rows.length, 1)
})

/** What a scan's own query would do: it is explained where it would be sent. */
async function explained (collections: LogCollections, scan: (collections: LogCollections) => Promise<unknown>): Promise<Document> {
  let plan: Document | undefined
  const { db, collectionName } = collections.rows
  const log = {
    collectionName,
    db: {
      command: async (explain: Document) => {
        plan = await db.command({ explain, verbosity: 'executionStats' }, { ignoreUndefined: true })
        return { cursor: BSON.serialize({ firstBatch: [], id: 0n }) }
      }
    }
  }
  await scan({ ...collections, rows: log as unknown as LogCollections['rows'] })
  return plan!
}

function stagesOf (stage: Document): string[] {
  return [stage['stage'], ...(stage['inputStage'] === undefined ? [] : stagesOf(stage['inputStage']))]
}
