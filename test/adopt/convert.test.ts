import { ObjectId } from 'mongodb'
import t from 'tap'
import { type OldMessage, convert } from '../../src/adopt/convert.ts'

const [ann, bob] = [new ObjectId('0123456789abcdef01234567'), new ObjectId('76543210fedcba9876543210')]
const _id = new ObjectId('650000000000000000000001')
const [then, later] = [new Date('2024-01-01T00:00:00.000Z'), new Date('2024-01-02T00:00:00.000Z')]
const whole: OldMessage = {
  ...{ _id, senderId: ann, receiverId: bob, message: 'hello', messageType: 'text', isRead: true },
  createdAt: then,
  updatedAt: later
}

t.test('a complete message keeps its id, people, text, type, times and flag', async t => {
  const { message, codes } = convert(whole)
  t.strictSame(codes, [])
  t.match(message, {
    _id,
    conversationId: 'dm_0123456789abcdef01234567_76543210fedcba9876543210',
    senderId: ann,
    receiverId: bob,
    message: 'hello',
    messageType: 'text',
    isRead: true,
    createdAt: then,
    changedAt: later
  })
  t.notOk('listingId' in message!)
})

t.test('ids may be texts of 24 digits, in upper or lower case', async t => {
  const { message, codes } = convert({ ...whole, _id: _id.toHexString(), senderId: ann.toHexString().toUpperCase() })
  t.strictSame(codes, [])
  t.ok(message!._id.equals(_id))
  t.ok(message!.senderId.equals(ann))
})

t.test('any other id becomes the same ObjectId in every run', async t => {
  const [one, two] = [convert({ ...whole, _id: 'msg-1' }), convert({ ...whole, _id: 'msg-1' })]
  t.strictSame(one.codes, ['ID_REPLACED'])
  t.ok(one.message!._id.equals(two.message!._id))
  t.notOk(one.message!._id.equals(convert({ ...whole, _id: 'msg-2' }).message!._id))
})

t.test('a message without two users is left out', async t => {
  t.strictSame(convert({ ...whole, senderId: 'ann' }), { message: undefined, codes: ['USER_ID'] })
  t.strictSame(convert({ ...whole, receiverId: undefined }), { message: undefined, codes: ['USER_ID'] })
  t.strictSame(convert({ ...whole, receiverId: ann.toHexString() }), { message: undefined, codes: ['ONESELF'] })
})

t.test('missing or unusual fields are reported, and the message is kept', async t => {
  const codesOf = (changed: Record<string, unknown>) => convert({ ...whole, ...changed }).codes
  t.strictSame(codesOf({ message: '' }), ['TEXT_EMPTY'])
  t.strictSame(codesOf({ message: null }), ['TEXT_MISSING'])
  t.strictSame(codesOf({ messageType: 'poll' }), ['TYPE_UNKNOWN'])
  t.strictSame(codesOf({ messageType: undefined }), [])
  t.strictSame(codesOf({ listingId: 'shoes' }), ['LISTING_ID'])
  t.strictSame(codesOf({ createdAt: later, updatedAt: then }), ['TIME_ORDER'])
  t.strictSame(codesOf({ createdAt: 'yesterday' }), ['TIME_MISSING'])
  t.strictSame(codesOf({ createdAt: then.toISOString(), updatedAt: later.getTime() }), [])
  t.strictSame(codesOf({ updatedAt: null }), [])
  t.match(convert({ ...whole, createdAt: later, updatedAt: then }).message, { createdAt: later, changedAt: later })
  t.match(convert({ ...whole, createdAt: null, updatedAt: null }).message, { createdAt: _id.getTimestamp() })
})

t.test('a deleted message keeps nothing of its content', async t => {
  const deleted = { ...whole, isDeleted: true, listingId: ann, messageType: 'image', isEdited: true }
  const { message, codes } = convert(deleted)
  t.strictSame(codes, [])
  t.match(message, { isDeleted: true, messageType: 'image' })
  for (const field of ['message', 'listingId', 'editedAt']) t.notOk(field in message!, field)
})

t.test('an edited message keeps the time of its edit', async t => {
  t.match(convert({ ...whole, isEdited: true }).message, { editedAt: later })
  t.match(convert({ ...whole, editedAt: then }).message, { editedAt: then })
})

t.test('the hash depends on content, flags and times, and on nothing else', async t => {
  const hash = (changed: Record<string, unknown>) => convert({ ...whole, ...changed }).message!.hash
  t.equal(hash({}), hash({ __v: 3 }))
  for (const changed of [{ message: 'x' }, { isRead: false }, { isDeleted: true }, { updatedAt: then }]) {
    t.not(hash(changed), hash({}), JSON.stringify(changed))
  }
})
