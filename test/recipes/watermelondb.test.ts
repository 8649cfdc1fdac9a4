import { Database, type Model } from '@nozbe/watermelondb'
import LokiModule from '@nozbe/watermelondb/adapters/lokijs/index.js'
import logger from '@nozbe/watermelondb/utils/common/logger/index.js'
import t from 'tap'
import { importRecipe, unpack } from '../helpers/recipes.ts'
import { type Call, type Held, longConversation } from './conversation.ts'

interface Message extends Model, Omit<Held, 'rev'> {
  error: string
  edit: (text: string) => Promise<Message>
  delete: () => Promise<void>
}

interface ModelClass {
  new (): Message
  table: string
  associations: object
  write: (database: Database, userId: string, text: string) => Promise<Message>
}

interface Recipe {
  schema: never
  Message: ModelClass
  syncConversation: (
    database: Database, options: { call: Call, userId: string, conversationId: string }
  ) => Promise<void>
}

const { default: LokiJSAdapter } = LokiModule
logger.default.silence()
const folder = unpack(t, 'recipes/bridge.md', 'recipes/watermelondb.md')
const { schema, Message, syncConversation } = await importRecipe<Recipe>(folder, 'watermelondb.mjs')

t.test('WatermelonDB pulls 10,000 messages, goes offline, and comes back equal to the server', async t => {
  const server = await longConversation(t, 10_000)
  const { call, userId, conversationId } = server
  const adapter = new LokiJSAdapter({
    schema, useWebWorker: false, useIncrementalIndexedDB: false, extraLokiOptions: { autosave: false }
  })
  const database = new Database({ adapter, modelClasses: [Message] })
  const table = database.get<Message>('messages')
  const sync = () => syncConversation(database, { call, userId, conversationId })
  const held = async () => (await table.query().fetch())
    .map(({ _raw, seq, text, isDeleted }) => ({ seq, rev: (_raw as unknown as Held).rev, text, isDeleted }))
    .sort((a, b) => a.seq - b.seq)
  const find = async (text: string) => (await table.query().fetch()).find(message => message.text === text)!

  await sync()
  const before = await held()
  t.equal(before.length, 10_000)
  t.strictSame(before, await server.held())
  t.ok(server.syncs() >= 20, 'it comes in pages')

  server.setOnline(false)
  await t.rejects(sync())
  await Message.write(database, userId, 'written offline')
  await (await Message.write(database, userId, 'written and changed offline')).edit('changed offline')
  await (await Message.write(database, userId, 'written and taken back')).delete()
  await server.goOn()
  t.not((await held()).length, (await server.held()).length)

  server.setOnline(true)
  await sync()
  // What was pushed comes back with its seq.
  await sync()
  const after = await server.held()
  t.strictSame(await held(), after)
  t.strictSame(after.slice(-2).map(({ text }) => text), ['written offline', 'changed offline'])
  t.equal(after[0]!.seq, 551)

  await t.test('the user\'s changes reach the server, and a refusal is shown', async t => {
    await (await find('written offline')).edit('edited here')
    await (await find('changed offline')).delete()
    await sync()
    await sync()
    t.strictSame(await held(), await server.held())
    t.match((await server.held()).slice(-2), [{ text: 'edited here' }, { isDeleted: true, text: '' }])

    const theirs = await find('the last change')
    await theirs.edit('not mine to edit')
    const invisible = await Message.write(database, userId, '\u200b')
    await sync()
    t.equal((await table.find(theirs.id)).error, 'NOT_ALLOWED')
    t.equal((await table.find(invisible.id)).error, 'VALIDATION')
    await sync()
  })
})
