import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { hasReacted, isEmoji, reactionKindsMax, reactionsMax, reactionsPayload, withReaction, withoutReaction } from '../../../src/chat/rules/reactions.ts'
import type { Reactions } from '../../../src/log/model/types.ts'

t.test('an emoji is one grapheme, whatever it is made of', async t => {
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
  for (const emoji of ['👍', '👍🏽', '❤️', '❤', '☺︎', '🎉', '👩‍👩‍👧‍👦', '👩🏽‍❤️‍💋‍👨🏿', '🏳️‍🌈', '🏴‍☠️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🇩🇪', '1️⃣', '#⃣', '👁️‍🗨️', '🕵🏽‍♂️', '🫠', '©️']) {
    t.ok(isEmoji(emoji), emoji)
    t.equal([...segmenter.segment(emoji)].length, 1)
  }
})

t.test('anything else is not an emoji', async t => {
  for (const text of ['', ' ', 'a', '1', '#', '+1', ':smile:', '👍👍', '👍 ', ' 👍', 'a👍', '👍a', '👍\ud800', '\ud83d', '🇩', '🇩🇪🇫🇷', '\u200d', '👍\u200d', '\ufe0f', '🏽', 'e\u0301', '\u0000', '$', '👍\u0301', '👨‍'.repeat(30) + '👨']) {
    t.notOk(isEmoji(text), JSON.stringify(text))
  }
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => {
    if (isEmoji(text)) assert.equal([...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)].length, 1)
  }), { numRuns: 2_000 })
})

t.test('reactions are a set of users per kind, in the order in which they came', async t => {
  const users = Array.from({ length: 60 }, () => new ObjectId())
  const kinds = ['👍', '🎉', '❤️']
  const step = fc.record({ user: fc.nat(users.length - 1), kind: fc.constantFrom(...kinds), on: fc.boolean() })
  fc.assert(fc.property(fc.array(step, { maxLength: 150 }), steps => {
    let reactions: Reactions = []
    const model = new Map<string, string[]>()
    for (const { user, kind, on } of steps) {
      const id = users[user]!
      const held = model.get(kind) ?? []
      assert.equal(hasReacted(reactions, kind, id), held.includes(id.toHexString()))
      if (hasReacted(reactions, kind, id) === on) continue
      reactions = on ? withReaction(reactions, kind, id)! : withoutReaction(reactions, kind, id)
      const now = on ? [...held, id.toHexString()] : held.filter(other => other !== id.toHexString())
      if (now.length === 0) model.delete(kind)
      else model.set(kind, now)
    }
    assert.deepEqual(reactionsPayload(reactions), [...model].map(([emoji, ids]) => ({ emoji, count: ids.length, userIds: ids.slice(0, 50) })))
  }), { numRuns: 200 })
  t.pass()
})

t.test('emoji that differ only in their variation selectors are one reaction, in the first user\'s form', async t => {
  const [a, b] = [new ObjectId(), new ObjectId()]
  const both = withReaction(withReaction([], '❤️', a)!, '❤', b)!
  t.same(reactionsPayload(both), [{ emoji: '❤️', count: 2, userIds: [a.toHexString(), b.toHexString()] }])
  for (const emoji of ['❤', '❤\ufe0e', '❤\ufe0f']) {
    t.ok(hasReacted(both, emoji, b))
    t.same(reactionsPayload(withoutReaction(both, emoji, b)), [{ emoji: '❤️', count: 1, userIds: [a.toHexString()] }])
  }
  t.notOk(hasReacted(both, '💛', a))
  t.ok(hasReacted(withReaction([], '🏳️‍🌈', a)!, '🏳‍🌈', a), 'inside a sequence too')
})

t.test('an id is not found across the boundary of two others', async t => {
  const [a, b] = [new ObjectId('0123456789abcdef01234567'), new ObjectId('89abcdef0123456789abcdef')]
  const both = withReaction(withReaction([], '👍', a)!, '👍', b)!
  const users = both[0]!.users
  const between = new ObjectId(Buffer.from(users.slice(8, 24), 'base64url').toString('hex'))
  t.notOk(hasReacted(both, '👍', between))
  t.same(withoutReaction(both, '👍', between), both)
})

t.test('a message can have a bounded number of kinds and of reactions', async t => {
  let reactions: Reactions = []
  for (let i = 0; i < reactionKindsMax; i++) reactions = withReaction(reactions, String.fromCodePoint(0x1f600 + i), new ObjectId())!
  t.equal(withReaction(reactions, '👍', new ObjectId()), null)
  t.ok(withReaction(reactions, '😀', new ObjectId()), 'of the kinds that are there, more')
  const full: Reactions = [{ emoji: '👍', users: Array.from({ length: reactionsMax }, () => Buffer.from(new ObjectId().id).toString('base64url')).join('') }]
  t.equal(withReaction(full, '👍', new ObjectId()), null)
  t.equal(reactionsPayload(full)[0]!.userIds.length, 50)
})
