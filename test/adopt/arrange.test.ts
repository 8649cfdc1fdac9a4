import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { type MessageOrder, arrange } from '../../src/adopt/arrange.ts'

const users = [new ObjectId('aaaaaaaaaaaaaaaaaaaaaaaa'), new ObjectId('bbbbbbbbbbbbbbbbbbbbbbbb')]

const messages = fc.array(fc.record({
  sender: fc.integer({ min: 0, max: 1 }),
  created: fc.integer({ min: 0, max: 20 }),
  after: fc.integer({ min: 0, max: 9 }),
  isRead: fc.boolean()
}), { minLength: 1, maxLength: 40 }).map(all => all.map(({ sender, created, after, isRead }, index): MessageOrder => ({
  _id: new ObjectId(index.toString(16).padStart(24, '0')),
  senderId: users[sender]!,
  createdAt: new Date(1_000 + created),
  changedAt: new Date(1_000 + created + after),
  isRead
})))

t.test('seq follows the creation, rev the last change, and times increase with rev', async t => {
  fc.assert(fc.property(messages, fc.infiniteStream(fc.nat()), (given, picks) => {
    const byId = new Map(given.map(message => [message._id.toHexString(), message]))
    const of = (id: ObjectId) => byId.get(id.toHexString())!
    const { placed, clock, lastMessageAt } = arrange([...given])
    const bySeq = [...placed].sort((a, b) => a.seq - b.seq)
    t.strictSame(placed.map(({ rev }) => rev), given.map((_, index) => index + 1))
    t.strictSame(bySeq.map(({ seq }) => seq), given.map((_, index) => index + 1))
    for (let index = 1; index < placed.length; index++) {
      const [before, now] = [placed[index - 1]!, placed[index]!]
      t.ok(of(before._id).changedAt <= of(now._id).changedAt)
      t.ok(before.updatedAt < now.updatedAt)
      t.ok(of(bySeq[index - 1]!._id).createdAt <= of(bySeq[index]!._id).createdAt)
    }
    for (const { _id, updatedAt } of placed) t.ok(updatedAt >= of(_id).changedAt)
    t.equal(clock.getTime(), placed.at(-1)!.updatedAt.getTime())
    t.equal(lastMessageAt, of(bySeq.at(-1)!._id).createdAt)
    const shuffled = [...given].map(message => ({ message, at: picks.next().value as number }))
      .sort((a, b) => a.at - b.at).map(({ message }) => message)
    t.strictSame(arrange(shuffled).placed, placed, 'in whatever order they come')
  }), { numRuns: 50 })
})

t.test('the read position is the last message that was read; unread ones before it are reported', async t => {
  const message = (index: number, sender: number, isRead: boolean): MessageOrder => {
    const at = new Date(1_000 + index)
    const _id = new ObjectId(index.toString(16).padStart(24, '0'))
    return { _id, senderId: users[sender]!, createdAt: at, changedAt: at, isRead }
  }
  const { readOf, readEarlier } = arrange([
    message(1, 0, true), message(2, 0, false), message(3, 1, false), message(4, 0, true), message(5, 0, false)
  ])
  t.strictSame([...readOf], [[users[0]!.toHexString(), 4]])
  t.strictSame(readEarlier.map(id => parseInt(id.toHexString(), 16)), [2])
})
