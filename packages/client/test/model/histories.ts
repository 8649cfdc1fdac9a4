import fc from 'fast-check'
import type { Spec, Step } from './spec.ts'

const place = fc.nat(1)
const tab = fc.constantFrom(0, 0, 1)
const pick = fc.nat(4)
const is = <T extends string>(...types: T[]) => fc.constantFrom(...types)
const kinds = [
  [8, {
    type: is('say', 'say', 'say', 'say', 'edit', 'delete', 'purge', 'pin', 'hidden', 'read', 'clear', 'hide'),
    place,
    pick
  }],
  [4, {
    type: is(
      'kick', 'return', 'backUp', 'restore', 'disconnect', 'connect', 'connect', 'connect', 'tick', 'tick', 'beat'
    )
  }],
  [8, {
    type: is('deliver'),
    tab,
    order: fc.constantFrom(0, 0, 0, 1, 2),
    fate: is('once', 'once', 'once', 'twice', 'never')
  }],
  [8, { type: is('answer'), tab, fate: is('now', 'now', 'now', 'now', 'lost', 'late') }],
  [6, { type: is('send', 'send', 'send', 'change', 'undo', 'mark', 'clearHere', 'hideHere'), tab, place, pick }],
  [5, { type: is('mail', 'mail', 'mail', 'late', 'late', 'crash', 'lead', 'lead'), tab }],
  [3, { type: is('page'), tab, place }],
  [2, { type: is('poll'), tab }],
  [3, { type: is('ask'), tab, what: is('sync', 'sync', 'join') }],
  [2, { type: is('look'), tab, place, pick }],
  [1, { type: is('jump'), ms: fc.constantFrom(-86_400_000, 86_400_000, -5_000) }]
] as const
const steps = kinds.map(([weight, fields]) => ({ weight, arbitrary: fc.record<object>(fields) as fc.Arbitrary<Step> }))

const commit = fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 30 }))
/** Random histories of a client. */
export const histories: fc.Arbitrary<Spec> = fc.record({
  limit: fc.integer({ min: 1, max: 4 }),
  tabs: fc.constantFrom(1, 2),
  showsAll: fc.boolean(),
  endsPolling: fc.boolean(),
  diesAt: commit,
  isStored: fc.boolean(),
  refusedAt: commit,
  steps: fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 40, size: 'max' })
})
