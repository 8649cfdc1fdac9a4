import fc from 'fast-check'
import type { Spec, Step } from './history.ts'

const user = fc.nat(1)
const node = fc.nat(2)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      user,
      node,
      room: fc.boolean(),
      clientId: fc.option(fc.nat(3)),
      body: fc.constantFrom(0, 0, 0, 1),
      twin: fc.boolean(),
      alsoRead: fc.constantFrom(false, false, true)
    })
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('edit' as const), user, node, target: fc.oneof(fc.nat(1), fc.nat(20)), content: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), user, node, target: fc.oneof(fc.nat(1), fc.nat(20)) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('join' as const, 'join' as const, 'leave' as const, 'invite' as const), user, node }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('read' as const), user, node, room: fc.boolean(), seq: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('block' as const), user, node, on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('rename' as const), user, node, content: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('poison' as const), user, node }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('crash' as const), node }) }
)

export const spec: fc.Arbitrary<Spec> = fc.record({
  seed: fc.nat(),
  faults: fc.constantFrom(0, 0.1, 0.3),
  lag: fc.constantFrom(0, 0, 0.3),
  share: fc.constantFrom(false, false, true),
  nodes: fc.integer({ min: 1, max: 3 }),
  batchCountMax: fc.constantFrom(1, 3, 8),
  clocks: fc.array(fc.constantFrom(0, -5_000, 5_000, 1), { minLength: 3, maxLength: 3 }),
  steps: fc.array(step, { minLength: 1, maxLength: 24 }),
  readers: fc.array(fc.record({ room: fc.boolean(), by: fc.constantFrom('rev' as const, 'time' as const), limit: fc.integer({ min: 1, max: 3 }) }), { minLength: 1, maxLength: 3 })
})
