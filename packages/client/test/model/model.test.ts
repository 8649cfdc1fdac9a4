import fc from 'fast-check'
import t from 'tap'
import { mutants } from './mutants.ts'
import type { Mutation, Spec, Step } from './spec.ts'
import { World } from './world.ts'

/** More for a long run: TIDELOG_RUNS=100000 */
const runs = Number(process.env['TIDELOG_RUNS'] ?? 2_000)

const place = fc.nat(1)
const pick = fc.nat(4)
const is = <T extends string>(...types: T[]) => fc.constantFrom(...types)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: is('say', 'say', 'say', 'edit', 'delete', 'purge', 'hidden', 'read'), place, pick }) },
  { weight: 4, arbitrary: fc.record({ type: is('kick', 'return', 'restore', 'disconnect', 'connect', 'connect', 'connect', 'crash', 'tick', 'tick', 'beat') }) },
  { weight: 8, arbitrary: fc.record({ type: is('deliver'), order: fc.constantFrom(0, 0, 0, 1, 2), fate: is('once', 'once', 'once', 'twice', 'never') }) },
  { weight: 8, arbitrary: fc.record({ type: is('answer'), isLost: fc.constantFrom(false, false, false, true) }) },
  { weight: 6, arbitrary: fc.record({ type: is('send', 'send', 'send', 'change', 'undo', 'mark'), place, pick }) },
  { weight: 2, arbitrary: fc.record({ type: is('page'), place, isLate: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: is('jump'), ms: fc.constantFrom(-86_400_000, 86_400_000, -5_000) }) }
)

const spec: fc.Arbitrary<Spec> = fc.record({
  seed: fc.nat(),
  limit: fc.integer({ min: 1, max: 4 }),
  diesAt: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 30 })),
  steps: fc.array(step, { minLength: 1, maxLength: 40, size: 'max' })
})

const keepsItsPromises = (mutation: Mutation = {}) => fc.asyncProperty(spec, async history => {
  const broken = await new World({ ...history }, mutation).run()
  if (broken.length > 0) throw new Error([...new Set(broken)].join('; '))
})

t.test('C1 C2 C3 C4 C6 C7: whatever is lost, doubled, late or cut off, a client ends up with what the server holds', { timeout: 0 }, async t => {
  await fc.assert(keepsItsPromises(), { numRuns: runs })
  t.pass(`${runs} histories`)
})

for (const [mutant, mutation] of Object.entries(mutants)) {
  t.test(`the check finds that ${mutant}`, { timeout: 0 }, async t => {
    const { failed, seed } = await fc.check(keepsItsPromises(mutation), { numRuns: 4_000, endOnFailure: true })
    t.ok(failed, `4,000 histories from seed ${seed} show nothing`)
  })
}
