import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { banRule, settingsRule, evictRule, deleteRule, assignRoleRule, formerOwnerRule, inheriting, joinRule, leaveRule, passingOn, removeRule, changeOwnRoleRule } from '../../../src/chat/rules/room-rules.ts'
import { TidelogError } from '../../../src/errors.ts'
import { type Mutation, type PlanInput, type MembershipStatus, type MembershipRule, type CommitUnit, planBatch } from '../../../src/log/commit/plan.ts'
import { type Head, type LogRow, type Member, type MemberRole, memberKey, revOf, seqOf } from '../../../src/log/model/types.ts'

const now = new Date(1_700_000_000_000)
const room: Head = {
  _id: `room_${'a'.repeat(24)}`, kind: 'room', headRev: revOf(9), headSeq: seqOf(5), clock: now, memberCount: 4, createdAt: now, name: 'x', isPrivate: false
}
const memberOf = (role: MembershipStatus, userId = new ObjectId()): Member | null => role === null || role === 'banned'
  ? null
  : { _id: memberKey(room._id, userId), conversationId: room._id, userId, role, joinedSeq: seqOf(0), joinedRev: revOf(1), joinedAt: now, readSeq: seqOf(0) }

/** What comes of a rule: the new standing, `.` for the one that was, or the status of the refusal. */
function outcome (rule: MembershipRule, standing: MembershipStatus, actor: MembershipStatus, head: Head | null = room): string {
  try {
    const wanted = rule(memberOf(standing), head, { standing, actor: memberOf(actor) })
    return wanted === standing ? '.' : String(wanted)
  } catch (error) {
    return error instanceof TidelogError ? String(error.status) : 'broken'
  }
}

const roles: MemberRole[] = ['owner', 'moderator', 'member']

t.test('each role may do to others what this table says', async t => {
  // Columns: what the other is now.
  const targets: MembershipStatus[] = [null, 'member', 'moderator', 'banned']
  const table: Array<[string, MembershipRule, Record<string, string>]> = [
    ['make a member', assignRoleRule('member'), { owner: 'member . member member', moderator: 'member . 403 member', member: '403 403 403 403', stranger: '403 403 403 403' }],
    ['make a moderator', assignRoleRule('moderator'), { owner: 'moderator moderator . moderator', moderator: '403 403 . 403', member: '403 403 403 403', stranger: '403 403 403 403' }],
    ['make the owner', assignRoleRule('owner'), { owner: '403 owner owner 403', moderator: '403 403 403 403', member: '403 403 403 403', stranger: '403 403 403 403' }],
    ['remove', removeRule(), { owner: '. null null .', moderator: '. null 403 .', member: '403 403 403 403', stranger: '403 403 403 403' }],
    ['ban', banRule(true), { owner: 'banned banned banned .', moderator: 'banned banned 403 .', member: '403 403 403 403', stranger: '403 403 403 403' }],
    ['lift a ban', banRule(false), { owner: '. . . null', moderator: '. . . null', member: '403 403 403 403', stranger: '403 403 403 403' }]
  ]
  for (const [name, rule, expected] of table) {
    for (const [actor, line] of Object.entries(expected)) {
      const standing = actor === 'stranger' ? null : actor as MemberRole
      t.equal(targets.map(target => outcome(rule, target, standing)).join(' '), line, `${actor}: ${name}`)
      // To somebody outside a private room, and to everybody when it is deleted or was never there, it is not there.
      const hidden = targets.map(() => '404').join(' ')
      if (standing === null) t.equal(targets.map(target => outcome(rule, target, null, { ...room, isPrivate: true })).join(' '), hidden)
      for (const head of [{ ...room, deleted: true, isPrivate: true }, null]) t.equal(targets.map(target => outcome(rule, target, standing, head)).join(' '), hidden)
    }
    for (const actor of ['moderator', 'member', null] as const) {
      const result = outcome(rule, 'owner', actor)
      t.ok(['403', '.'].includes(result), `nobody touches the owner: ${name} by ${actor} is ${result}`)
    }
  }
})

t.test('an administrator may do to others what an owner may, in any existing room', async t => {
  const standings: MembershipStatus[] = [null, 'member', 'moderator', 'banned', 'owner']
  const rules = [[assignRoleRule('member'), assignRoleRule('member', undefined, true)], [assignRoleRule('moderator'), assignRoleRule('moderator', undefined, true)], [removeRule(), removeRule(true)], [banRule(true), banRule(true, true)], [banRule(false), banRule(false, true)]] as const
  for (const [own, admins] of rules) {
    for (const head of [room, { ...room, isPrivate: true }]) {
      for (const actor of [null, 'member'] as const) {
        t.equal(standings.map(target => outcome(admins, target, actor, head)).join(' '), standings.map(target => outcome(own, target, 'owner', head)).join(' '))
      }
    }
    for (const head of [{ ...room, deleted: true, isPrivate: true }, null]) t.equal(standings.map(target => outcome(admins, target, null, head)).join(' '), '404 404 404 404 404')
  }
  t.same(deleteRule(true)(room, null), { deleted: true, isPrivate: true })
  t.equal(deleteRule(true)({ ...room, deleted: true, isPrivate: true }, null), null)
})

t.test('a change of owner by an administrator is refused if the owner has changed meanwhile', async t => {
  t.equal(outcome(passingOn('moderator'), 'owner', null), 'moderator')
  t.same((['moderator', 'member', null, 'banned'] as const).map(standing => outcome(passingOn('member'), standing, null)), ['409', '409', '409', '409'])
  t.same((['moderator', 'member', null, 'banned'] as const).map(standing => outcome(inheriting, standing, null)), ['owner', 'owner', '404', '404'])
})

t.test('the member who opens the whole history to all gives up a hidden part of their own', async t => {
  const joined: Head = { ...room, history: 'joined' }
  const lead = { ...memberOf('moderator')!, joinedSeq: seqOf(3) }
  t.same(settingsRule({ history: 'all' })(joined, lead), { history: 'all', closedSeq: 3 })
  t.same(settingsRule({ history: 'all' }, true)(joined, null), { history: 'all', closedSeq: 5 }, 'an administrator from outside: nothing of the past')
  t.same(settingsRule({ history: 'all' })(room, lead), { history: 'all' })
  t.same(settingsRule({ history: 'joined' })(room, lead), { history: 'joined' })
  t.throws(() => settingsRule({ isPrivate: true })({ ...room, _id: 'room_x' }, lead), { code: 'NOT_ALLOWED' }, 'of an id that a client chose')
  t.same(settingsRule({ isPrivate: true })(room, lead), { isPrivate: true })
})

t.test('each role may do with its own membership what this table says', async t => {
  const standings: MembershipStatus[] = ['owner', 'moderator', 'member', null, 'banned']
  const rows: Array<[string, MembershipRule, string, string]> = [
    // In a public room, and in a private one.
    ['join', joinRule, '. . . member 403', '. . . 404 404'],
    ['take the place of a member', changeOwnRoleRule('member'), '403 member . member 403', '403 member . 404 404'],
    ['take that of a moderator', changeOwnRoleRule('moderator'), '403 . 403 403 403', '403 . 403 404 404'],
    ['take that of the owner', changeOwnRoleRule('owner'), '. 403 403 403 403', '. 403 403 404 404'],
    ['leave', leaveRule, '403 null null . .', '403 null null 404 404']
  ]
  for (const [name, rule, open, closed] of rows) {
    t.equal(standings.map(standing => outcome(rule, standing, standing)).join(' '), open, name)
    t.equal(standings.map(standing => outcome(rule, standing, standing, { ...room, isPrivate: true })).join(' '), closed, `${name}, private`)
    t.ok(standings.every(standing => outcome(rule, standing, standing, { ...room, deleted: true, isPrivate: true }) !== 'member'), `${name}, deleted`)
  }
  t.equal(outcome(leaveRule, 'owner', 'owner', { ...room, memberCount: 1 }), 'null', 'the last may go')
  t.equal(outcome(joinRule, null, null, { ...room, memberCount: 0 }), 'owner', 'an empty room belongs to who comes next')
  t.equal(outcome(joinRule, null, null, null), 'owner', 'and so does a new one')
  t.equal(outcome(changeOwnRoleRule('member'), null, null, null), 'owner')
})

t.test('owners and moderators change settings, and only the owner deletes the room', async t => {
  const tried = (rule: () => unknown) => {
    try {
      return rule() === null ? 'nothing' : 'done'
    } catch (error) {
      return String((error as TidelogError).status)
    }
  }
  const change = (actor: MembershipStatus, head = room) => tried(() => settingsRule({ name: 'y' })(head, memberOf(actor)))
  const remove = (actor: MembershipStatus, head = room) => tried(() => deleteRule()(head, memberOf(actor)))
  t.same([...roles, null].map(actor => change(actor)), ['done', 'done', '403', '403'])
  t.same([...roles, null].map(actor => remove(actor)), ['done', '403', '403', '403'])
  const closed = { ...room, isPrivate: true }
  t.same([change(null, closed), remove(null, closed)], ['404', '404'])
  const gone = { ...closed, deleted: true }
  t.same([...roles, null].map(actor => change(actor, gone)), ['404', '404', '404', '404'])
  t.same([...roles, null].map(actor => remove(actor, gone)), ['nothing', '404', '404', '404'], 'the owner asks again to go on with it')
})

class Database {
  readonly heads = new Map<string, Head | null>()
  readonly rows = new Map<string, LogRow>()
  readonly members = new Map<string, Member>()

  commit (units: CommitUnit[]) {
    const plan = planBatch(units, this as PlanInput, now.getTime())
    for (const { to } of plan.heads) this.heads.set(to._id, to)
    for (const { to } of plan.rows) this.rows.set(to._id.toHexString(), to)
    for (const { key, to } of plan.members) to === null ? this.members.delete(key) : this.members.set(key, to)
    return plan
  }
}

t.test('in any sequence of changes a room has at most one owner, and none only if it is empty', async t => {
  const users = Array.from({ length: 5 }, () => new ObjectId())
  const ask = fc.record({
    actor: fc.nat(4),
    target: fc.nat(4),
    what: fc.constantFrom('join', 'leave', 'member', 'moderator', 'owner', 'owner', 'remove', 'ban', 'unban', 'close', 'open', 'send')
  })
  fc.assert(fc.property(fc.array(fc.array(ask, { minLength: 1, maxLength: 4 }), { maxLength: 30 }), batches => {
    const database = new Database()
    const change = (actor: ObjectId, userId: ObjectId, role: MembershipRule, more: object = {}): Mutation => ({ type: 'member', conversationId: room._id, userId, role, actor, ...more })
    database.commit([{ mutations: [change(users[0]!, users[0]!, joinRule, { open: { kind: 'room', name: 'x', isPrivate: false, members: [] } })] }])
    for (const batch of batches) {
      const asked = ({ actor: a, target: b, what }: typeof batch[number]): CommitUnit => {
        const [actor, target] = [users[a]!, users[b]!]
        switch (what) {
          case 'join': return { mutations: [change(actor, actor, joinRule)] }
          case 'leave': return { mutations: [change(actor, actor, leaveRule)] }
          case 'remove': return { mutations: [change(actor, target, a === b ? leaveRule : removeRule())] }
          case 'ban':
          case 'unban': return { mutations: a === b ? [change(actor, actor, leaveRule)] : [change(actor, target, banRule(what === 'ban'))] }
          case 'close':
          case 'open': return { mutations: [{ type: 'meta', conversationId: room._id, actor, decide: settingsRule({ isPrivate: what === 'close' }) }] }
          case 'send': return { mutations: [{ type: 'append', conversationId: room._id, row: { _id: new ObjectId(), kind: 'message', senderId: actor, message: 'x' }, requiresMember: actor }] }
          case 'member':
          case 'moderator':
          case 'owner': return {
            mutations: a === b
              ? [change(actor, actor, changeOwnRoleRule(what))]
              : [change(actor, target, assignRoleRule(what)), ...(what === 'owner' ? [change(actor, actor, formerOwnerRule)] : [])]
          }
        }
      }
      const plan = database.commit(batch.map(asked))
      assert.ok(plan.outcomes.every(each => typeof each === 'object' && (each.outcome !== 'refused' || each.error.code !== 'INTERNAL')))
      const members = [...database.members.values()]
      const head = database.heads.get(room._id)!
      assert.equal(head.memberCount, members.length)
      assert.ok(members.filter(({ role }) => role === 'owner').length === (members.length === 0 ? 0 : 1), 'one owner')
      for (const row of database.rows.values()) {
        if (row.kind === 'membership' && row.conversationId === room._id) {
          const member = database.members.get(memberKey(room._id, row.userId!))
          assert.equal(row.role, member?.role ?? null)
          if (row.banned === true) assert.equal(member, undefined)
        }
      }
    }
  }), { numRuns: 400 })
  t.pass()
})

t.test('clearing a deleted room removes every member and keeps the bans', async t => {
  t.same(([...roles, null, 'banned'] as MembershipStatus[]).map(standing => outcome(evictRule, standing, null, { ...room, deleted: true })), ['null', 'null', 'null', '.', '.'])
})
