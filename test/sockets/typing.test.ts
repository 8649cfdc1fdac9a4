import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { TypingThrottle } from '../../src/sockets/typing.ts'

t.test('whatever a client says, at most a few announcements of a conversation pass in a second, and the last one that passed is not contradicted', async t => {
  fc.assert(fc.property(fc.array(fc.record({ wait: fc.nat(400), id: fc.constantFrom('a', 'b'), on: fc.boolean() }), { maxLength: 200 }), steps => {
    const throttle = new TypingThrottle()
    const passed = new Map<string, Array<{ at: number, on: boolean }>>()
    let now = 1_000_000
    for (const { wait, id, on } of steps) {
      now += wait
      const list = passed.get(id) ?? []
      passed.set(id, list)
      if (throttle.passes(id, on, now)) {
        if (!on) assert.equal(list.at(-1)?.on, true, 'only what was said can be taken back')
        list.push({ at: now, on })
      } else if (!on) {
        assert.notEqual(list.at(-1)?.on, true, 'that somebody stopped is always told')
      }
      assert.ok(list.filter(({ at }) => at > now - 1_000).length <= 10)
    }
  }), { numRuns: 300 })
  t.pass('300 random clients')
})

t.test('typing goes on being announced while it lasts', async t => {
  const throttle = new TypingThrottle()
  t.same([0, 500, 999, 1_000, 1_500, 2_000].map(now => throttle.passes('a', true, now)), [true, false, false, true, false, true])
})

t.test('many conversations at once are not announced without end', async t => {
  const throttle = new TypingThrottle()
  t.equal(Array.from({ length: 500 }, (_, index) => throttle.passes(String(index), true, 0)).filter(Boolean).length, 50)
  t.equal(throttle.passes('another', true, 1_000), true)
})
