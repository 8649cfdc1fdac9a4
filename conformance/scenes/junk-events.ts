import { type Cast, noId } from './cast.ts'
import { eventsOf } from './documents.ts'
import type { Phone } from './phone.ts'

const payloads: unknown[] = [
  undefined, null, true, 0, -1, 1e308, '', ' ', 'x', 'x'.repeat(50_000), [], [[]], [null], {}, { $gt: '' }, Buffer.from('binary'), { content: Buffer.from('binary') },
  JSON.parse('{"__proto__": {"isAdmin": true}}'), { constructor: 1 }, { receiverId: { $ne: null }, content: 'x' }, { receiverId: noId, content: { $gt: '' } }, { receiverId: [noId], content: 'x' },
  { receiverId: noId, content: 7 }, { receiverId: 'x', content: 'x' }, { roomId: '../x', content: 'x' }, { roomId: { $gt: '' }, content: 'x' }, { content: ['x'] }, { content: '' }, { content: 'x', messageType: 'system' },
  { messageId: { $exists: true }, content: 'x' }, { messageId: 'x' }, { messageId: noId, content: 'x', expectedRev: 'x' }, { messageId: noId, emoji: {}, on: 1 }, { conversationId: 'self', seq: 1 }, { conversationId: 'dm_x_y', seq: 1, on: true },
  { conversationId: { $ne: '' }, seq: 1, on: true }, { conversationId: 'common_chat', seq: -1 }, { conversationId: 'common_chat', seq: '1', on: 'yes' }, { userIds: 'x' }, { userIds: [{ $gt: '' }] }, { userIds: Array(500).fill(noId) },
  { cursors: [] }, { cursors: { x: 7 } }, { cursors: { [noId]: { $gt: '' } } }, { limit: -1 }, { limit: 'x' }, { operations: 'x' }, { operations: [] }, { operations: [null] }, { operations: [{ opId: '1' }] },
  { operations: Array(101).fill({ opId: '1', type: 'send' }) }, { token: null }, { token: {} }, { token: 'x'.repeat(20_000) }, { live: 'yes' }, { live: { $gt: '' } }
]

/** Events that accept anything, or for which some of the payloads are valid. */
const lenient = new Set(['setupUser', 'joinCommonChat', 'leaveCommonChat', 'sync', 'subscribePresence'])

/** Every event with any payload must be answered, and must leave all connections open. */
export async function junkEvents (cast: Cast): Promise<void> {
  const { sheet, eve, bob } = cast
  const [phone, other] = [await cast.phone(eve), await cast.phone(bob)]
  const codes = /^[A-Z_]{3,40}$/
  for (const event of await eventsOf(cast)) {
    for (const payload of payloads) {
      const what = `${event} with ${JSON.stringify(payload)?.slice(0, 60) ?? 'nothing'}`
      const ack = payload === undefined ? await phone.ask(event) : await phone.ask(event, payload)
      const refused = ack?.success === false && codes.test(String(ack.code)) && ack.code !== 'INTERNAL' && typeof ack.message === 'string' && typeof ack.retryable === 'boolean'
      sheet.that(`${what} is answered with a code`, refused || ack?.success === true, ack ?? 'no acknowledgement')
      if (phone.gone !== undefined) return sheet.that(`${what} leaves the connection alone`, false, phone.gone)
      if (refused && !lenient.has(event)) await withoutCallback(cast, phone, event, payload, String(ack.code))
    }
  }
  for (const event of ['nothing', 'toString', '__proto__', 'x'.repeat(5_000), '', 'typing ', '💥']) sheet.is(`the unknown event ${JSON.stringify(event.slice(0, 20))} is answered`, await phone.ask(event, {}), { success: false, code: 'VALIDATION' })
  for (const more of [[{}, {}, {}], [null, null], ['x', () => {}]]) phone.socket.emit('sendDirectMessage', ...more)
  sheet.is('after all of it the connection answers', await phone.ask('setupUser', {}), { success: true }, 0)
  sheet.is('after all of it other connections answer', await other.ask('setupUser', {}), { success: true }, 0)
  await brokenPackets(cast)
}

const sendEvents = new Set(['sendDirectMessage', 'sendRoomMessage', 'sendCommonChatMessage'])

/** Without a callback the failure arrives as `error`. */
async function withoutCallback ({ sheet }: Cast, phone: Phone, event: string, payload: unknown, code: string): Promise<void> {
  const { mark } = phone
  if (payload === undefined) phone.socket.emit(event)
  else phone.socket.emit(event, payload)
  const error = await phone.wait('error', { event }, mark)
  sheet.is(`a failure of ${event} without a callback comes as an error`, error, { message: sendEvents.has(event) ? 'Failed to send message' : /./, error: /./, code, event })
}

/** Invalid packets. They may end their own connection, and nothing else. */
async function brokenPackets (cast: Cast): Promise<void> {
  const { sheet, eve, bob } = cast
  const other = await cast.phone(bob)
  for (const packet of ['42', '42[', '42["x"', '42{}', '42[null]', '42[7]', '4299999999999999999999["setupUser"]', '451-["x",{"_placeholder":true,"num":0}]', '459999999-["x"]', '43[]', '431[]', '44', '47', '4', '9', '0{}', '40/admin,', '41', 'x'.repeat(100_000)]) {
    const phone = await cast.phone(eve)
    const { engine } = phone.socket.io
    ;(engine as unknown as { transport: { ws: { send: (data: string) => void } } }).transport.ws.send(packet)
    // The packet may be answered, may end the connection, or neither.
    await Promise.race([phone.settle(), phone.end()])
    phone.socket.disconnect()
  }
  sheet.is('broken packets end no other connection', await other.ask('setupUser', {}), { success: true }, 0)
}
