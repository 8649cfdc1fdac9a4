import { type Db, type Document, ObjectId } from 'mongodb'

/** The database of a backend as hosts run it, with what years leave in one. */

export const oldId = (number: number): ObjectId => new ObjectId(number.toString(16).padStart(24, '0'))
export const user = (number: number): ObjectId => new ObjectId(`f${number.toString(16).padStart(23, '0')}`)

const at = (second: number): Date => new Date(Date.parse('2024-01-01T00:00:00.000Z') + second * 1_000)

function message (number: number, from: number, to: number, fields: Document = {}): Document {
  return {
    _id: oldId(number),
    senderId: user(from),
    receiverId: user(to),
    message: `number ${number}`,
    messageType: 'text',
    isRead: false,
    createdAt: at(number),
    updatedAt: at(number),
    __v: 0,
    ...fields
  }
}

/** Users 0 to 4, of whom 4 has no row; conversations 0–1 with oddities, 0–2 plain, 0–4 with the missing user. */
export async function fillSource (db: Db): Promise<void> {
  const row = (number: number) => ({
    ...{ _id: user(number), fullName: `User ${number}`, username: `user${number}`, email: `${number}@example.org` },
    ...{ password: '$2b$10$x', extra: 'stays' }
  })
  const users = [row(0), row(1), row(2), row(3), { ...row(5), _id: 'five' as never }]
  await db.collection<Document>('users').insertMany(users)
  await db.collection<Document>('directmessages').insertMany([
    message(1, 0, 1, { isRead: true }),
    message(2, 1, 0),
    message(3, 0, 1),
    message(4, 0, 1, { isRead: true, updatedAt: at(90) }),
    message(5, 1, 0, { isDeleted: true, updatedAt: at(80) }),
    // Equal times.
    message(6, 1, 0, { createdAt: at(6), updatedAt: at(90) }),
    message(7, 0, 1, { createdAt: at(6), updatedAt: at(90) }),
    // Ragged.
    message(8, 0, 1, { updatedAt: at(1) }),
    message(9, 0, 1, { createdAt: undefined, updatedAt: undefined }),
    message(10, 0, 1, { messageType: 'poll' }),
    message(11, 0, 1, { message: '' }),
    message(12, 0, 1, { message: undefined }),
    message(13, 0, 0),
    message(14, 0, 1, { senderId: 'somebody' }),
    message(15, 0, 1, { receiverId: undefined }),
    message(16, 0, 1, { _id: 'sixteen' as never }),
    message(17, 0, 1, { _id: oldId(17).toHexString() as never, senderId: user(0).toHexString() }),
    message(18, 0, 4),
    ...Array.from({ length: 30 }, (_, index) => message(100 + index, index % 2 * 2, 2 - index % 2 * 2))
  ])
}

/** What users do while an adoption goes on: one more message, one read, one deleted, a new conversation. */
export async function changeSource (db: Db): Promise<void> {
  const messages = db.collection<Document>('directmessages')
  const now = new Date('2100-01-01T00:00:00.000Z')
  await messages.insertMany([
    message(200, 0, 1, { createdAt: now, updatedAt: now }),
    message(201, 1, 3, { createdAt: now, updatedAt: now })
  ])
  await messages.updateOne({ _id: oldId(100) as never }, { $set: { isRead: true, updatedAt: now } })
  await messages.updateOne({ _id: oldId(3) as never }, { $set: { isDeleted: true, updatedAt: now } })
}
