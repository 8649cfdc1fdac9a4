import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { PresenceTracker, type PresenceState } from '../../src/presence/presence-tracker.ts'

const graceMs = 10

/** A presence on a clock that stands still until it is moved. */
function clocked () {
  let now = 1_000
  let timers: Array<{ at: number, act: () => void }> = []
  const told: Array<[userId: string, status: string]> = []
  const presence = new PresenceTracker({
    graceMs,
    now: () => now,
    later: (ms, act) => {
      const timer = { at: now + ms, act }
      timers.push(timer)
      return () => { timers = timers.filter(other => other !== timer) }
    },
    onChange: (userId: string, { status }: PresenceState) => { told.push([userId, status]) }
  })
  return {
    presence,
    told,
    now: () => now,
    timers: () => timers.length,
    pass (ms: number): void {
      now += ms
      const due = timers.filter(({ at }) => at <= now)
      timers = timers.filter(({ at }) => at > now)
      for (const { act } of due) act()
    }
  }
}

t.test('a user is online with the first socket, and offline some time after the last', async t => {
  const { presence, told, pass, now } = clocked()
  presence.enter('ann', 's1')
  presence.enter('ann', 's2')
  presence.leave('ann', 's1')
  presence.leave('ann', 's1')
  pass(100)
  t.match(presence.stateOf('ann'), { status: 'online' })
  presence.leave('ann', 's2')
  const left = now()
  t.match(presence.stateOf('ann'), { status: 'online' }, 'there may be a reconnect')
  pass(graceMs)
  t.same(presence.stateOf('ann'), { status: 'offline', lastActiveAt: left })
  t.same(told, [['ann', 'online'], ['ann', 'offline']])
})

t.test('a reconnect within the grace period is not announced', async t => {
  const { presence, told, pass, timers } = clocked()
  for (let i = 0; i < 5; i++) {
    presence.enter('ann', `s${i}`)
    presence.leave('ann', `s${i}`)
    pass(graceMs - 1)
  }
  t.same(told, [['ann', 'online']])
  t.equal(timers(), 1)
})

t.test('announcements alternate and end with the true state, whoever comes and goes', async t => {
  const users = ['a', 'b']
  const step = fc.record({ user: fc.constantFrom(...users), socket: fc.constantFrom('1', '2', '3'), enter: fc.boolean(), pass: fc.nat(15) })
  fc.assert(fc.property(fc.array(step, { maxLength: 100 }), steps => {
    const { presence, told, pass, timers } = clocked()
    const model = new Map(users.map(user => [user, new Set<string>()]))
    for (const { user, socket, enter, pass: ms } of steps) {
      if (enter) presence.enter(user, user + socket)
      else presence.leave(user, user + socket)
      if (enter) model.get(user)!.add(user + socket)
      else model.get(user)!.delete(user + socket)
      for (const each of users) if (model.get(each)!.size > 0) assert.equal(presence.stateOf(each).status, 'online')
      pass(ms)
    }
    pass(graceMs)
    assert.equal(timers(), 0)
    for (const user of users) {
      const said = told.filter(([who]) => who === user).map(([, status]) => status)
      assert.deepEqual(said, said.map((_, index) => index % 2 === 0 ? 'online' : 'offline'))
      assert.equal(presence.stateOf(user).status, model.get(user)!.size > 0 ? 'online' : 'offline')
      assert.equal(said.at(-1) ?? 'offline', presence.stateOf(user).status)
    }
  }), { numRuns: 300 })
  t.pass()
})

t.test('the last activity of users who left is stored once, and of all when the process ends', async t => {
  const { presence, pass, now } = clocked()
  presence.enter('ann', 's1')
  presence.leave('ann', 's1')
  pass(graceMs)
  const first = presence.toStore()
  t.same(first.entries, [['ann', now() - graceMs]])
  first.stored()
  t.same(presence.toStore().entries, [])
  presence.enter('ann', 's2')
  pass(5)
  presence.touch('ann')
  presence.close()
  t.same(presence.toStore().entries, [['ann', now()]])
})
