import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { type Mutation, type Plan, type StateContent, type CommitUnit } from '../../src/log/commit/plan.ts'
import { memberKey, stateRowId, selfLogId, seqOf, readPositionsShownMax } from '../../src/log/model/types.ts'
import { TidelogError } from '../../src/errors.ts'
import { PlannedDatabase } from './planned-database.ts'

/** Rows that stand for a state, and the own logs of users, in plans on plain values. */

const room = 'room_x'
const [alice, bob] = [new ObjectId('a'.repeat(24)), new ObjectId('b'.repeat(24))]

/** What an own log tells of each conversation, by rev. */
const own = (database: PlannedDatabase, userId: ObjectId) =>
  database.log(selfLogId(userId)).map(({ kind, about, role, on, readSeq }) => kind === 'membership' ? [about, role] : kind === 'read' ? [about, readSeq] : [about, on])

const unit = (...mutations: Mutation[]): CommitUnit => ({ mutations })
const member = (userId: ObjectId, role: Extract<Mutation, { type: 'member' }>['role'], more: Partial<Extract<Mutation, { type: 'member' }>> = {}): Mutation =>
  ({ type: 'member', conversationId: room, userId, role, ...more })
const message = (fields: Partial<Extract<Mutation, { type: 'append' }>> = {}): Mutation =>
  ({ type: 'append', conversationId: room, row: { _id: new ObjectId(), kind: 'message', senderId: alice, message: 'hi' }, ...fields })
const block = (on: boolean): Mutation => ({
  type: 'put', conversationId: selfLogId(alice), kind: 'block', subject: 'b', decide: () => ({ about: 'b', on }), open: { kind: 'self', members: [] }
})
const outcomes = (plan: Plan) => plan.outcomes.map(outcome => typeof outcome === 'number' ? outcome : outcome.outcome)

function opened (): PlannedDatabase {
  const database = new PlannedDatabase()
  database.commit([unit(member(alice, 'owner', { open: { kind: 'room', name: 'X', isPrivate: true, members: [] } }))])
  return database
}

t.test('a membership has one row in the conversation and one in the self log, however often it changes', async t => {
  const database = opened()
  for (const role of ['member', null, 'member', 'moderator', 'moderator'] as const) database.commit([unit(member(bob, role))])
  t.match(database.log(room), [{ kind: 'membership', userId: alice, role: 'owner', rev: 1 }, { kind: 'membership', userId: bob, role: 'moderator', rev: 5 }])
  t.same(own(database, bob), [[room, 'moderator']])
  t.match(database.heads.get(selfLogId(bob)), { kind: 'self', headRev: 4, memberRev: 4, memberCount: 0 })
  t.match(database.heads.get(room), { headRev: 5, memberCount: 2 })
  t.match(database.members.get(memberKey(room, bob)), { role: 'moderator', joinedRev: 4 })
})

t.test('a new direct conversation is in the self logs of both users', async t => {
  const database = new PlannedDatabase()
  const plan = database.commit([unit(message({ conversationId: 'dm_a_b', open: { kind: 'direct', members: [{ userId: alice, role: 'member' }, { userId: bob, role: 'member' }] } }))])
  t.same(outcomes(plan), ['committed'])
  for (const userId of [alice, bob]) t.same(own(database, userId), [['dm_a_b', 'member']])
})

t.test('a read position moves in the self log too', async t => {
  const database = opened()
  database.commit([unit(message()), unit(message())])
  for (const seq of [1, 2, 1]) database.commit([unit({ type: 'read', conversationId: room, userId: alice, seq: seqOf(seq) })])
  t.same(own(database, alice), [[room, 'owner'], [room, 2]])
  t.match(database.heads.get(selfLogId(alice)), { headRev: 3, memberRev: 1 }, 'and the list of conversations is still good')
})

t.test('in a large conversation read positions are not shown, and do not change the conversation', async t => {
  const database = opened()
  for (let index = 0; index < readPositionsShownMax; index++) database.commit([unit(member(new ObjectId(), 'member'))])
  database.commit([unit(message())])
  const before = database.heads.get(room)
  const plan = database.commit([unit({ type: 'read', conversationId: room, userId: alice, seq: seqOf(1) })])
  t.match(plan.outcomes, [{ outcome: 'committed', reads: [{ readSeq: 1 }] }])
  t.same(plan.shownReads, [])
  t.same(database.heads.get(room), before)
  t.match(database.members.get(memberKey(room, alice)), { readSeq: 1 })
})

t.test('only rules distinguish a banned user from one who never joined', async t => {
  const database = opened()
  database.commit([unit(member(bob, 'member'))])
  database.commit([unit(member(bob, 'banned'))])
  t.match(database.log(room).at(-1), { kind: 'membership', role: null, banned: true })
  t.same(own(database, bob), [[room, null]])
  t.equal(database.members.get(memberKey(room, bob)), undefined)
  const seen: unknown[] = []
  const plan = database.commit([unit(member(bob, (_member, _head, { standing, actor }) => {
    seen.push([standing, actor?.role])
    throw new TidelogError('NOT_ALLOWED')
  }, { actor: alice }))])
  t.same(seen, [['banned', 'owner']])
  t.same(outcomes(plan), ['refused'])
  database.commit([unit(member(bob, null))])
  t.equal(database.log(room).at(-1)?.banned, undefined, 'until it is lifted')
  t.equal(database.heads.get(room)?.memberCount, 1)
})

t.test('settings are in the head and in their row, and setting the same again changes nothing', async t => {
  const database = opened()
  const rename = (name: string): Mutation => ({ type: 'meta', conversationId: room, actor: alice, decide: (_head, actor) => actor?.role === 'owner' ? { name } : null })
  t.same(outcomes(database.commit([unit(rename('X')), unit(rename('Y')), unit(rename('Y'))])), ['unchanged', 'committed', 'unchanged'])
  t.match(database.log(room).at(-1), { kind: 'meta', rev: 2, name: 'Y', isPrivate: true })
  t.match(database.heads.get(room), { name: 'Y', isPrivate: true, metaRev: 2, headRev: 2 })
  t.equal(database.heads.get(room)?.viewRev, undefined)
  database.commit([unit({ type: 'meta', conversationId: room, decide: () => ({ history: 'joined' }) })])
  t.match(database.heads.get(room), { name: 'Y', history: 'joined', metaRev: 3, viewRev: 3 }, 'another view of the history resets its readers')
  t.equal(database.log(room).length, 2)
})

t.test('a block is a row of the self log; unblocking resets older cursors', async t => {
  const database = new PlannedDatabase()
  t.same(outcomes(database.commit([unit(block(true))])), ['committed'])
  t.match(database.heads.get(selfLogId(alice)), { blockRev: 1, viewRev: undefined })
  database.commit([unit(block(false))])
  t.match(database.heads.get(selfLogId(alice)), { blockRev: 2, viewRev: 2 })
  t.same(outcomes(database.commit([unit(block(false))])), ['unchanged'])
  t.same(own(database, alice), [['b', false]])
})

t.test('a purge moves forward and never back', async t => {
  const database = opened()
  database.commit([unit(message()), unit(message())])
  const purge = (seq: number): Mutation => ({ type: 'purge', conversationId: room, throughSeq: seqOf(seq) })
  t.same(outcomes(database.commit([unit(purge(9)), unit(purge(1))])), ['committed', 'unchanged'])
  t.match(database.heads.get(room), { headRev: 4, purgedSeq: 2 })
  t.match(database.log(room).at(-1), { kind: 'purge', throughSeq: 2 })
})

t.test('a purge that another server has made changes nothing, though the known head is older', async t => {
  const database = opened()
  database.commit([unit(message()), unit(message())])
  const older = database.heads.get(room)!
  const purge: Mutation = { type: 'purge', conversationId: room, throughSeq: seqOf(2) }
  database.commit([unit(purge)])
  database.heads.set(room, older)
  t.same(outcomes(database.commit([unit(purge), unit(message())])), ['unchanged', 'committed'])
})

t.test('a rule that refuses fails only its own unit', async t => {
  const database = opened()
  const plan = database.commit([
    unit(message(), { type: 'put', conversationId: selfLogId(alice), kind: 'block', subject: 'b', decide: () => { throw new TidelogError('NOT_ALLOWED') } }),
    unit({ type: 'meta', conversationId: room, decide: () => { throw new TypeError('a defect') } }),
    unit({ type: 'put', conversationId: 'room_nowhere', kind: 'block', subject: '', decide: () => ({ on: true }) })
  ])
  t.same(outcomes(plan), ['refused', 'refused', 'missing'])
  t.same(plan.rows, [])
})

t.test('I2: after any states in any batches, revs have no gap and each subject has one row with its last content', async t => {
  const set = fc.record({ subject: fc.constantFrom('a', 'b', 'c'), on: fc.boolean() })
  fc.assert(fc.property(fc.array(fc.array(set, { maxLength: 5 }), { maxLength: 8 }), batches => {
    const database = opened()
    let revs = 1
    const last = new Map<string, StateContent>()
    for (const batch of batches) {
      const plan = database.commit([...batch.map(({ subject, on }) => unit({ type: 'put', conversationId: room, kind: 'block', subject, decide: () => ({ on }) }))])
      for (const { to } of plan.rows) if (to.rev !== ++revs) return false
      for (const { subject, on } of batch) last.set(subject, { on })
      if (database.heads.get(room)!.headRev !== revs) return false
    }
    return [...last].every(([subject, { on }]) => database.rows.get(stateRowId(room, 'block', subject).toHexString())?.on === on) &&
      new Set(database.log(room).map(({ rev }) => rev)).size === last.size + 1
  }))
  t.pass()
})
