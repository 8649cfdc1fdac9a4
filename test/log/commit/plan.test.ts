import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import {
  type Mutation, type PlanInput, type UnitOutcome, type Plan, type CommitUnit, type SendRule, planBatch
} from '../../../src/log/commit/plan.ts'
import { type LogRow, type MemberRole, memberKey, seqOf } from '../../../src/log/model/types.ts'
import { TidelogError } from '../../../src/errors.ts'
import { PlannedDatabase, now } from '../planned-database.ts'

const room = 'room_x'
const [alice, bob] = [new ObjectId('a'.repeat(24)), new ObjectId('b'.repeat(24))]

function roomOf (...members: ObjectId[]): PlannedDatabase {
  const database = new PlannedDatabase()
  database.commit([{ mutations: [member(members[0]!, 'owner', { kind: 'room', members: [] })] }])
  for (const userId of members.slice(1)) database.commit([{ mutations: [member(userId, 'member')] }])
  return database
}

type Append = Extract<Mutation, { type: 'append' }>

function append (fields: Partial<Append['row']> = {}, more: Partial<Append> = {}): Append {
  return { type: 'append', conversationId: room, row: { _id: new ObjectId(), kind: 'message', senderId: alice, message: 'hi', ...fields }, ...more }
}

function member (userId: ObjectId, role: MemberRole | null, open?: Append['open']): Mutation {
  return { type: 'member', conversationId: room, userId, role, ...(open === undefined ? {} : { open }) }
}

function edit (rowId: ObjectId, message: string): Mutation {
  return { type: 'revise', conversationId: room, rowId, decide: row => row.message === message ? null : { set: { message } } }
}

const read = (userId: ObjectId, seq: number): Mutation => ({ type: 'read', conversationId: room, userId, seq: seqOf(seq) })
const unit = (...mutations: Mutation[]): CommitUnit => ({ mutations })
const kinds = (plan: Plan) => plan.outcomes.map(outcome => typeof outcome === 'number' ? outcome : outcome.outcome)
const rowsOf = (outcome: UnitOutcome | number | undefined): LogRow[] => (outcome as Extract<UnitOutcome, { rows: LogRow[] }>).rows
/** What a plan does to the room alone, without the own logs of its members. */
const inRoom = ({ rows, heads }: Plan) => ({ rows: rows.filter(({ to }) => to.conversationId === room), heads: heads.filter(({ to }) => to._id === room) })
const stateOf = ({ heads, members, rows }: PlannedDatabase | Plan): string => JSON.stringify([[...heads], [...members], [...rows]])

t.test('I2: new messages take the next revs and seqs, membership rows a rev only', async t => {
  const database = roomOf(alice)
  const { rows, heads } = inRoom(database.commit([unit(append()), unit(member(bob, 'member')), unit(append())]))
  t.same(rows.map(({ to }) => [to.rev, to.seq, to.kind]), [[2, 1, 'message'], [3, undefined, 'membership'], [4, 2, 'message']])
  t.match(heads, [{ from: { headRev: 1, headSeq: 0 }, to: { headRev: 4, headSeq: 2 } }])
})

t.test('several operations on one message share a rev, and each answers with the final row of the batch', async t => {
  const database = roomOf(alice)
  const sent = append()
  const { outcomes, rows } = database.commit([unit(sent), unit(append()), unit(edit(sent.row._id, 'one')), unit(edit(sent.row._id, 'two'))])
  t.same(rows.map(({ to }) => [to.rev, to.message]), [[2, 'two'], [3, 'hi']])
  for (const index of [0, 2, 3]) t.same(rowsOf(outcomes[index]), [rows[0]!.to])
  t.equal(rows[0]!.from, null, 'and the message is new')
})

t.test('an edit in a later batch moves the row to its own rev and keeps its seq', async t => {
  const database = roomOf(alice)
  const sent = append()
  database.commit([unit(sent)])
  const { rows: [write] } = database.commit([unit(edit(sent.row._id, 'later'))])
  t.match(write, { from: { rev: 2, seq: 1 }, to: { rev: 3, seq: 1, message: 'later' } })
  t.ok(write!.to.updatedAt > write!.from!.updatedAt)
  t.same(write!.to.createdAt, write!.from!.createdAt)
})

t.test('a unit that fails half-way leaves nothing, and the next one gets its rev', async t => {
  const database = roomOf(alice)
  const before = append()
  const plan = database.commit([
    unit(before),
    unit(append(), edit(before.row._id, 'lost'), member(bob, 'member'), edit(new ObjectId(), 'missing')),
    unit(append({}, { requiresMember: bob })),
    unit(append())
  ])
  t.same(kinds(plan), ['committed', 'missing', 'notMember', 'committed'])
  t.same(plan.rows.map(({ to }) => [to.rev, to.seq, to.message]), [[2, 1, 'hi'], [3, 2, 'hi']])
  t.same(plan.members, [])
})

t.test('a later mutation of a unit sees the earlier ones', async t => {
  const database = roomOf(alice)
  const plan = database.commit([unit(member(bob, 'member'), append({ senderId: bob }, { requiresMember: bob }), read(bob, 9))])
  t.same(kinds(plan), ['committed'])
  t.match(plan.members, [{ from: null, to: { role: 'member', joinedSeq: 0, readSeq: 1 } }])
})

t.test('a rule sees the sender as the batch has left them, and a refusal leaves nothing', async t => {
  const database = roomOf(alice)
  database.commit([unit({ type: 'meta', conversationId: room, decide: () => ({ slowModeS: 10 }) })])
  database.commit([unit(member(bob, 'member'))])
  const rule: SendRule = (sender, { slowModeS }, at) => {
    const until = sender.sentAt === undefined ? 0 : sender.sentAt.getTime() + slowModeS! * 1_000
    if (at.getTime() < until) throw new TidelogError('SLOW_MODE')
  }
  const send = () => unit(append({ senderId: bob }, { requiresMember: bob, rule }))
  const twice = send()
  const plan = database.commit([twice, send(), twice])
  t.same(kinds(plan), ['committed', 'refused', 'unchanged'])
  t.equal(plan.rows.length, 1)
  t.same(kinds(database.commit([send()], now + 9_000)), ['refused'])
  t.same(kinds(database.commit([send()], now + 11_000)), ['committed'])
  t.equal(database.members.get(memberKey(room, bob))!.sentAt!.getTime(), now + 11_000)
})

t.test('I5: a repeated clientMessageId in a batch refers to the first unit with it', async t => {
  const database = roomOf(alice)
  const id = { clientMessageId: 'c1', bodyHash: 'x' }
  const plan = database.commit([unit(append(id)), unit(append()), unit(append(id)), unit(append({ ...id, senderId: bob }))])
  t.same(kinds(plan), ['committed', 'committed', 0, 'committed'])
  t.equal(plan.rows.length, 3)
})

t.test('the next unit may use the clientMessageId of a refused one', async t => {
  const database = roomOf(alice)
  const id = { clientMessageId: 'c1', bodyHash: 'x' }
  t.same(kinds(database.commit([unit(append(id, { requiresMember: bob })), unit(append(id))])), ['notMember', 'committed'])
})

t.test('a unit that is committed twice gets no second rev', async t => {
  const database = roomOf(alice)
  const twice = unit(append())
  t.same(kinds(database.commit([twice, twice])), ['committed', 'unchanged'])
  const plan = database.commit([twice, unit(append())])
  t.same(kinds(plan), ['unchanged', 'committed'])
  t.match(plan.heads, [{ to: { headRev: 3, headSeq: 2 } }])
})

t.test('a mutation that changes nothing takes no rev', async t => {
  const database = roomOf(alice, bob)
  const sent = append()
  database.commit([unit(sent), unit(read(bob, 1))])
  const plan = database.commit([unit(edit(sent.row._id, 'hi')), unit(member(bob, 'member')), unit(read(bob, 1))])
  t.same(kinds(plan), ['unchanged', 'unchanged', 'unchanged'])
  t.same(plan.heads, [])
  t.match(rowsOf(plan.outcomes[0]), [{ message: 'hi', rev: 3 }])
})

t.test('a rule that refuses or throws another error fails only its own unit', async t => {
  const database = roomOf(alice)
  const sent = append()
  database.commit([unit(sent)])
  const revise = (decide: () => never): CommitUnit => unit({ type: 'revise', conversationId: room, rowId: sent.row._id, decide })
  const { outcomes } = database.commit([
    revise(() => { throw new TidelogError('CONFLICT') }),
    revise(() => { throw new TypeError('a defect') }),
    unit(append())
  ])
  t.match(outcomes, [{ outcome: 'refused', error: { code: 'CONFLICT' } }, { outcome: 'refused', error: { code: 'INTERNAL' } }, { outcome: 'committed' }])
})

t.test('the first unit opens a conversation and adds its members, the others find it open', async t => {
  const database = new PlannedDatabase()
  const open = { kind: 'direct', members: [{ userId: alice, role: 'member' }, { userId: bob, role: 'member' }] } as const
  const plan = database.commit([unit(append({}, { open: { ...open, members: [...open.members] } })), unit(append({}, { open: { ...open, members: [...open.members] } }))])
  t.match(inRoom(plan).heads, [{ from: null, to: { kind: 'direct', headRev: 2, headSeq: 2, memberCount: 2 } }])
  t.same(plan.members.map(({ key }) => key), [memberKey(room, alice), memberKey(room, bob)])
})

t.test('no mutation but an opening creates a conversation', async t => {
  const plan = new PlannedDatabase().commit([unit(append()), unit(member(bob, 'member')), unit(read(bob, 1)), unit(edit(new ObjectId(), 'x')), unit(append({}, { requiresMember: bob }))])
  t.same(kinds(plan), Array(5).fill('missing'))
  t.same(plan.heads, [])
})

t.test('a user who joins and leaves in one batch leaves one row with the final state, and no member', async t => {
  const database = roomOf(alice)
  const plan = database.commit([unit(member(bob, 'member')), unit(member(bob, null))])
  t.same(inRoom(plan).rows.map(({ to }) => to.role), [null])
  t.match(plan.members, [{ from: null, to: null }])
})

t.test('a member who joins again has read everything up to the joining', async t => {
  const database = roomOf(alice, bob)
  database.commit([unit(append()), unit(append())])
  database.commit([unit(member(bob, null)), unit(member(bob, 'moderator'))])
  t.match(database.members.get(memberKey(room, bob)), { role: 'moderator', joinedSeq: 2, readSeq: 2 })
})

t.test('a change of role keeps the read position', async t => {
  const database = roomOf(alice, bob)
  database.commit([unit(append()), unit(read(bob, 1))])
  database.commit([unit(member(bob, 'moderator'))])
  t.match(database.members.get(memberKey(room, bob)), { role: 'moderator', joinedSeq: 0, readSeq: 1 })
})

t.test('a read position never moves back or beyond the end; it takes a time but no rev', async t => {
  const database = roomOf(alice, bob)
  database.commit([unit(append()), unit(append()), unit(append())])
  const { heads: [move], rows } = inRoom(database.commit([unit(read(bob, 2)), unit(read(bob, 1)), unit(read(bob, 99))]))
  t.match(database.members.get(memberKey(room, bob)), { readSeq: 3 })
  t.equal(move!.to.headRev, move!.from!.headRev)
  t.ok(move!.to.clock > move!.from!.clock)
  t.same(rows, [])
  t.same(kinds(database.commit([unit(read(new ObjectId(), 1))])), ['notMember'])
})

type Drawn =
  | { type: 'append', clientId: number | null, by: number, strict: boolean }
  | { type: 'edit', target: number, content: number }
  | { type: 'member', by: number, role: MemberRole | null }
  | { type: 'read', by: number, seq: number }

const anyUnit: fc.Arbitrary<Drawn[]> = fc.array(fc.oneof(
  fc.record({ type: fc.constant('append' as const), clientId: fc.option(fc.nat(3)), by: fc.nat(1), strict: fc.boolean() }),
  fc.record({ type: fc.constant('edit' as const), target: fc.nat(9), content: fc.nat(2) }),
  fc.record({ type: fc.constant('member' as const), by: fc.nat(1), role: fc.constantFrom('member' as const, 'moderator' as const, null) }),
  fc.record({ type: fc.constant('read' as const), by: fc.nat(1), seq: fc.nat(9) })
), { minLength: 1, maxLength: 3 })

t.test('I2: revs and seqs have no gaps and times increase with them, whatever the batches and the clock', async t => {
  fc.assert(fc.property(fc.array(fc.record({ units: fc.array(anyUnit, { maxLength: 6 }), clock: fc.integer({ min: -9, max: 9 }) }), { maxLength: 8 }), batches => {
    const database = roomOf(alice)
    const sent: ObjectId[] = []
    let [revs, seqs, time] = [1, 0, database.heads.get(room)!.clock.getTime()]
    for (const { units, clock } of batches) {
      const { rows, heads } = inRoom(database.commit(units.map(changes => ({ mutations: changes.map(change => made(change, sent)) })), now + clock))
      for (const { from, to } of rows) {
        if (to.rev !== ++revs) return false
        if (from === null && to.seq !== undefined && to.seq !== ++seqs) return false
        if (to.updatedAt.getTime() <= time) return false
        time = to.updatedAt.getTime()
      }
      const head = database.heads.get(room)!
      if (head.headRev !== revs || head.headSeq !== seqs || head.clock.getTime() < time) return false
      if (heads.length > 1 || (rows.length > 0 && heads.length === 0)) return false
      time = head.clock.getTime()
    }
    const rows = [...database.rows.values()].filter(row => row.conversationId === room)
    return new Set(rows.map(row => row.rev)).size === rows.length
  }))
  t.pass()
})

t.test('a batch has the same result as its units one by one, except for shared revs and times', async t => {
  fc.assert(fc.property(fc.array(anyUnit, { maxLength: 8 }), drawn => {
    const together = roomOf(alice)
    const apart = roomOf(alice)
    const sent: ObjectId[] = []
    const units = drawn.map((changes): CommitUnit => ({ mutations: changes.map(change => made(change, sent)) }))
      // The plan leaves ids that are stored already to the unique index.
      .map(({ mutations }, index) => ({ mutations: mutations.map((change, at) => change.type === 'append' && at > 0 ? { ...change, row: { ...change.row, clientMessageId: `${index}.${at}` } } : change) }))
    const outcomes = kinds(together.commit(units))
    const one = units.map(each => {
      const claim = each.mutations[0]?.type === 'append' ? `${each.mutations[0].row.clientMessageId ?? ''} ${String(each.mutations[0].row.senderId)}` : undefined
      const taken = claim !== undefined && !claim.startsWith(' ') && [...apart.rows.values()].some(row => `${row.clientMessageId ?? ''} ${String(row.senderId)}` === claim)
      return taken ? 'repeat' : kinds(apart.commit([each]))[0]
    })
    const same = outcomes.every((outcome, index) => typeof outcome === 'number' ? one[index] === 'repeat' : one[index] === outcome)
    return same && contents(together) === contents(apart)
  }))
  t.pass()
})

t.test('a plan does not change its input', async t => {
  const database = roomOf(alice, bob)
  const sent = append()
  database.commit([unit(sent)])
  const before = stateOf(database)
  planBatch([unit(append(), edit(sent.row._id, 'x')), unit(member(bob, null)), unit(read(alice, 1))], database as PlanInput, now)
  t.equal(stateOf(database), before)
})

function made (drawn: Drawn, sent: ObjectId[]): Mutation {
  const by = 'by' in drawn && drawn.by === 1 ? bob : alice
  switch (drawn.type) {
    case 'append': {
      const change = append({ senderId: by, ...(drawn.clientId === null ? {} : { clientMessageId: `c${drawn.clientId}`, bodyHash: 'x' }) }, drawn.strict ? { requiresMember: by } : {})
      sent.push(change.row._id)
      return change
    }
    case 'edit': return edit(sent[drawn.target % Math.max(1, sent.length)] ?? new ObjectId(), `edited ${drawn.content}`)
    case 'member': return member(by, drawn.role)
    case 'read': return read(by, drawn.seq)
  }
}

function contents ({ rows, members }: PlannedDatabase): string {
  const said = [...rows.values()].map(row => [row.conversationId, row.kind, row.seq, row.kind === 'message' ? row._id.toHexString() : String(row.userId), row.message, row.role, row.readSeq])
  return JSON.stringify([said.map(each => JSON.stringify(each)).sort(), [...members.values()].map(({ _id, role, readSeq }) => [_id, role, readSeq]).sort()])
}
