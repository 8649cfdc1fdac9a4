import fc from 'fast-check'
import type { Spec, Step } from './world.ts'

const user = fc.nat(2)
const node = fc.nat(2)
const place = fc.constantFrom(0, 1, 1, 1, 2)
const client = fc.nat(3)
const is = <T extends string>(...types: T[]) => fc.constantFrom(...types)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ type: is('send'), user, node, place, clientId: fc.option(fc.nat(3)), big: fc.constantFrom(false, false, false, false, true), alsoRead: fc.constantFrom(false, false, true) }) },
  { weight: 1, arbitrary: fc.record({ type: is('poison', 'invite'), user, node }) },
  { weight: 5, arbitrary: fc.record({ type: is('edit', 'edit', 'delete'), user, node, target: fc.oneof(fc.nat(1), fc.nat(20)) }) },
  { weight: 6, arbitrary: fc.record({ type: is('membership'), user, node, role: fc.constantFrom('member' as const, 'member' as const, null) }) },
  { weight: 2, arbitrary: fc.record({ type: is('read'), user, node, place: fc.nat(1), seq: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ type: is('block'), user, node, other: fc.nat(2), on: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ type: is('react'), user, node, target: fc.oneof(fc.nat(1), fc.nat(20)), emoji: is('👍', '🎉'), on: fc.constantFrom(true, true, false) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: is('pin'), user, node, target: fc.oneof(fc.nat(1), fc.nat(20)), on: fc.constantFrom(true, true, false)
    })
  },
  { weight: 1, arbitrary: fc.record({ type: is('rename'), user, node, content: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ type: is('history'), user, node, history: fc.constantFrom('all' as const, 'joined' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: is('purge'), user, node, place, throughSeq: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: is('clear', 'hide'), user, node, place: fc.nat(1), seq: fc.integer({ min: 1, max: 6 })
    })
  },
  { weight: 1, arbitrary: fc.record({ type: is('crash', 'beat', 'collect', 'collect'), node }) },
  { weight: 2, arbitrary: fc.record({ type: is('failover') }) },
  { weight: 1, arbitrary: fc.record({ type: is('restore'), commits: fc.nat(6) }) },
  { weight: 4, arbitrary: fc.record({ type: is('leave', 'clientCrash', 'sync'), client }) }
)

export const spec: fc.Arbitrary<Spec> = fc.record({
  seed: fc.nat(),
  faults: fc.constantFrom(0, 0.1, 0.3),
  loss: fc.constantFrom(0, 0.2, 0.5),
  lag: fc.constantFrom(0, 0, 0.3),
  elections: fc.constantFrom(false, true, true, 'unseen' as const),
  share: fc.boolean(),
  bulk: fc.boolean(),
  nodes: fc.constantFrom(1, 2, 3, 3),
  replicates: fc.boolean(),
  calm: fc.constantFrom(false, false, true),
  batchCountMax: fc.constantFrom(1, 3, 8),
  clocks: fc.array(fc.constantFrom(0, -5_000, 5_000, 1), { minLength: 3, maxLength: 3 }),
  clients: fc.array(fc.record({ user, live: fc.constantFrom(true, true, false), limit: fc.integer({ min: 1, max: 4 }), newest: fc.constantFrom(50, 50, 0, 1, 3, 'all' as const), only: fc.constantFrom(false, false, true) }), { minLength: 1, maxLength: 4 }),
  timeReaders: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
  steps: fc.array(step, { minLength: 1, maxLength: 24, size: 'max' })
})
