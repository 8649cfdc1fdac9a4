/** Values that no operation takes, or not unchanged. @param userId a user to whom the caller may write */
export const handpicked = (userId: string): unknown[] => [
  undefined, null, true, false, 0, -1, 1e308, '', ' ', 'x', 'x'.repeat(100_000), [], [[]], {}, { $ne: null }, { $gt: '' }, [null],
  Buffer.from('binary'), { content: Buffer.from('binary') }, { __proto__: null, constructor: 1 }, JSON.parse('{"__proto__": {"isAdmin": true}}'),
  { receiverId: { $ne: null }, content: 'x' }, { receiverId: userId, content: { $gt: '' } }, { receiverId: [userId], content: 'x' },
  { receiverId: userId }, { receiverId: userId, content: '' }, { receiverId: userId, content: ' \n\t ' }, { receiverId: userId, content: 'x'.repeat(4_001) },
  { receiverId: userId, content: 'x', messageType: 'system' }, { receiverId: userId, content: 'x', clientMessageId: '' },
  { receiverId: userId, content: 'x', clientMessageId: 'x'.repeat(65) }, { receiverId: userId, content: 'x', clientMessageId: 7 },
  { receiverId: userId, content: 'x', replyTo: 'f'.repeat(24) }, { receiverId: userId, content: 'x', replyTo: 'nonsense' }, { receiverId: userId, content: 'x', listingId: '' },
  { content: '' }, { content: 'x', messageType: 'system' }, { content: ['x'] }, { roomId: '../x', content: 'x' }, { roomId: 'x y', content: 'x' }, { roomId: '', content: 'x' },
  { roomId: 'x'.repeat(65), content: 'x' }, '../x', 'x'.repeat(65), 'a b', 'ünicode', { messageId: 'x' }, { messageId: { $exists: true }, content: 'x' },
  { messageId: 'f'.repeat(24), content: 'x', expectedRev: 'x' }, { conversationId: 'dm_x_y', seq: 1 }, { conversationId: 'self', seq: 1 }, { conversationId: 'room_', on: true },
  { conversationId: 'common_chat', seq: -1 }, { conversationId: 'common_chat', seq: 1.5 }, { conversationId: 'common_chat', seq: '1' }, { token: '' }, { token: 'x'.repeat(20_000) }, { token: null }
]
