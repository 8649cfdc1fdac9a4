import fc from 'fast-check'
import t from 'tap'
import { firstOf } from '../../src/lib/first-of.ts'

t.test('the first items are the first of the sorted list', async t => {
  const compare = (a: number, b: number) => a - b
  fc.assert(fc.property(fc.array(fc.nat(100)), fc.nat(20), (items, count) => {
    const before = [...items]
    t.same(firstOf(items, count, compare), [...items].sort(compare).slice(0, count))
    t.same(items, before, 'and the list stays as it is')
  }))
})
