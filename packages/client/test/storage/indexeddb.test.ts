import 'fake-indexeddb/auto'
import { forceCloseDatabase, indexedDB } from 'fake-indexeddb'
import { openDB } from 'idb'
import t from 'tap'
import { type Row, type StoredOperation, emptyConversation } from '../../src/pure/state.ts'
import { indexedDbStorage } from '../../src/storage/indexeddb.ts'
import { type AccountStorage, Stale } from '../../src/storage/storage.ts'

let made = 0
const row = (seq: number, rev = seq, text = `message ${seq}`): Row => ({
  conversationId: 'room_r', id: `m${seq}`, seq, rev, senderId: 'ada', text, type: 'text', createdAt: seq, isDeleted: false, reactions: []
})
const operation = (text: string): StoredOperation => ({
  position: 0, version: 0, opId: text, conversationId: 'room_r', state: 'queued', attempts: 0, createdAt: 1, work: { type: 'send', clientMessageId: text, text }
})
const open = async (userId = 'ada'): Promise<{ name: string, account: AccountStorage }> => {
  const name = `test ${made++}`
  return { name, account: await indexedDbStorage({ name }).open(userId) }
}

t.test('what a commit stored is there after a restart', async t => {
  const { name, account } = await open()
  const record = { ...emptyConversation('room_r', 'room'), cursor: 'c-1', rev: 3 }
  const positions = await account.commit({ rows: [row(1), row(2), row(3)], conversations: [record], add: [operation('one'), operation('two')], drafts: [['room_r', 'we']] })
  account.close()
  const again = await indexedDbStorage({ name }).open('ada')
  const loaded = await again.load()
  t.match(loaded, { conversations: [record], operations: [{ opId: 'one', position: positions[0] }, { opId: 'two', position: positions[1] }], drafts: [['room_r', 'we']] })
  t.strictSame((await again.rows('room_r', 2, Infinity)).map(({ seq }) => seq), [2, 3])
  t.strictSame((await again.rows('room_r', 0, Infinity, 2)).map(({ seq }) => seq), [2, 3], 'the last ones, if there are more')
})

t.test('a row is stored only if its rev is above the stored row\'s', async t => {
  const { account } = await open()
  await account.commit({ rows: [row(1, 5, 'new')] })
  await account.commit({ rows: [row(1, 4, 'old'), row(2, 6), row(2, 7, 'newest')] })
  t.match(await account.rows('room_r', 1, 2), [{ text: 'new' }, { text: 'newest' }])
})

t.test('C5: a refused batch stores nothing', async t => {
  const { account } = await open()
  const [position = 0] = await account.commit({ add: [operation('one')] })
  const held = { ...operation('one'), position }
  await account.commit({ put: [{ ...held, version: 1, state: 'sending' }] })
  await t.rejects(account.commit({ rows: [row(1)], put: [{ ...held, version: 1, state: 'failed' }] }), Stale, 'another tab has changed it')
  await t.rejects(account.commit({ rows: [row(1)], settle: [held] }), Stale)
  t.strictSame(await account.rows('room_r', 0, Infinity), [])
  await account.commit({ rows: [row(1)], settle: [{ ...held, version: 1 }] })
  t.match(await account.load(), { operations: [] })
  await account.commit({ settle: [{ ...held, version: 1 }] })
  t.pass('one that is gone can be settled again')
})

t.test('C5: a tab that is no longer the leader cannot write', async t => {
  const { account } = await open()
  const [first, second] = [await account.takeOver(), await account.takeOver()]
  await t.rejects(account.commit({ term: first, rows: [row(1)] }), Stale)
  await account.commit({ term: second, rows: [row(1)] })
  t.equal((await account.rows('room_r', 0, 9)).length, 1)
})

t.test('messages are deleted by conversation, or up to a seq', async t => {
  const { account } = await open()
  await account.commit({ rows: [row(1), row(2), row(3)], conversations: [emptyConversation('room_r', 'room')] })
  await account.commit({ purge: [['room_r', 2]] })
  t.strictSame((await account.rows('room_r', 0, Infinity)).map(({ seq }) => seq), [3])
  await account.commit({ rows: [row(4), row(5)], hide: [['room_r', [4]]] })
  t.strictSame((await account.rows('room_r', 0, Infinity)).map(({ seq }) => seq), [3, 4, 5], 'removals come first')
  await account.commit({ hide: [['room_r', [4, 5]]] })
  t.strictSame((await account.rows('room_r', 0, Infinity)).map(({ seq }) => seq), [3])
  await account.commit({ dropRows: ['room_r'], rows: [row(7)] })
  t.strictSame((await account.rows('room_r', 0, Infinity)).map(({ seq }) => seq), [7], 'what comes with the drop stays')
  await account.commit({ drop: ['room_r'] })
  t.match(await account.load(), { conversations: [] })
})

t.test('what version 1 stored is migrated, and the self log is requested again', async t => {
  const { name, account } = await open()
  account.close()
  const settings = { mutedUntil: null, notify: 'none', archived: false, pinnedAt: null, markedUnread: false }
  const old = await openDB(`${name}:ada`, 1, {
    upgrade: database => {
      const stores = ['conversations', 'users', 'outbox', 'drafts', 'meta']
      for (const store of stores) database.createObjectStore(store)
      database.createObjectStore('messages', { keyPath: ['conversationId', 'seq'] }).createIndex('id', 'id')
    }
  })
  await old.put('meta', { cursor: 'c-1', rev: 3, settings: { room_r: settings } }, 'self')
  await old.put('drafts', 'we', 'room_r')
  old.close()
  const loaded = await account.load()
  const taken = { ...settings, clearedSeq: 0, hiddenSeqs: [] }
  t.match(loaded, { drafts: [['room_r', 'we']], self: { cursor: '', rev: 3, settings: { room_r: taken } } })
  await account.commit({ rows: [row(1)] })
  t.strictSame(await account.rows('room_r', 0, 9), [row(1)])
})

t.test('another user of the device sees nothing of the first, and a cleared account is empty', async t => {
  const { name, account } = await open()
  await account.commit({ add: [operation('one')], drafts: [['room_r', 'we']] })
  const other = await indexedDbStorage({ name }).open('bob')
  t.match(await other.load(), { operations: [], drafts: [] })
  await account.clear()
  t.match(await (await indexedDbStorage({ name }).open('ada')).load(), { operations: [], drafts: [] })
})

t.test('a database that the browser closes is opened again', async t => {
  const { name, account } = await open()
  await account.commit({ rows: [row(1)] })
  // What the browser does when it needs the space or the profile is moved.
  const { _databases: databases } = indexedDB as unknown as { _databases: Map<string, { connections: Array<Parameters<typeof forceCloseDatabase>[0]> }> }
  for (const connection of [...databases.get(`${name}:ada`)!.connections]) forceCloseDatabase(connection)
  await account.commit({ rows: [row(2)] })
  t.equal((await account.rows('room_r', 0, 9)).length, 2)
})

t.test('a tab that deletes the database does not wait for the others', async t => {
  const { name, account } = await open()
  await account.commit({ rows: [row(1)] })
  const other = await indexedDbStorage({ name }).open('ada')
  await other.load()
  await account.clear()
  t.strictSame(await other.rows('room_r', 0, 9), [])
})

t.test('all users share one stored session, and it can be removed', async t => {
  const storage = indexedDbStorage({ name: `test ${made++}` })
  t.equal(await storage.session(), null)
  await storage.setSession({ user: { id: 'ada', fullName: 'Ada', username: 'ada', picture: null }, token: 't-1' })
  t.match(await storage.session(), { token: 't-1' })
  await storage.setSession(null)
  t.equal(await storage.session(), null)
})
