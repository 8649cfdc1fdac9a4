import { type RxCollection, createRxDatabase } from 'rxdb'
import type { RxReplicationState } from 'rxdb/plugins/replication'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'
import t from 'tap'
import { importRecipe, unpack } from '../helpers/recipes.ts'
import { type Call, type Held, longConversation } from './conversation.ts'

interface Document extends Held { key: string, id: string, senderId: string, createdAt: number, error: string }

interface Recipe {
  messageSchema: never
  newMessage: (userId: string, text: string) => Document
  replicateConversation: (collection: RxCollection<Document>, options: {
    call: Call, userId: string, conversationId: string, retryTime: number
  }) => RxReplicationState<Document, unknown>
}

const folder = unpack(t, 'recipes/bridge.md', 'recipes/rxdb.md')
const { messageSchema, newMessage, replicateConversation } = await importRecipe<Recipe>(folder, 'rxdb.mjs')

t.test('RxDB replicates 10,000 messages, goes offline, and comes back equal to the server', async t => {
  const server = await longConversation(t, 10_000)
  const { call, userId, conversationId } = server
  const storage = getRxStorageMemory()
  const database = await createRxDatabase({ name: 'chat', storage, multiInstance: false })
  t.teardown(() => database.close())
  const collections = await database.addCollections({ messages: { schema: messageSchema } })
  const messages = collections.messages as RxCollection<Document>
  const held = async () => (await messages.find().exec())
    .map(document => document.toMutableJSON())
    .map(({ seq, rev, text, isDeleted }) => ({ seq, rev, text, isDeleted })).sort((a, b) => a.seq - b.seq)
  const replicate = () => replicateConversation(messages, { call, userId, conversationId, retryTime: 50 })

  let replication = replicate()
  await replication.awaitInSync()
  const before = await held()
  t.equal(before.length, 10_000)
  t.strictSame(before, await server.held())
  t.ok(server.syncs() >= 20, 'it comes in pages')

  server.setOnline(false)
  await messages.insert(newMessage(userId, 'written offline'))
  const changed = await messages.insert(newMessage(userId, 'written and changed offline'))
  await changed.patch({ text: 'changed offline' })
  await server.goOn()
  t.not((await held()).length, (await server.held()).length)
  // The program ends and starts again.
  await replication.cancel()

  server.setOnline(true)
  replication = replicate()
  t.teardown(() => replication.cancel())
  await replication.awaitInSync()
  replication.reSync()
  await replication.awaitInSync()
  const after = await server.held()
  t.strictSame(await held(), after)
  t.strictSame(after.slice(-2).map(({ text }) => text), ['written offline', 'changed offline'])
  t.equal(after[0]!.seq, 551)

  await t.test('the user\'s changes reach the server, and a refusal is shown', async t => {
    const [mine] = await messages.find({ selector: { text: 'written offline' } }).exec()
    await mine!.patch({ text: 'edited here' })
    const [theirs] = await messages.find({ selector: { text: 'the last change' } }).exec()
    await theirs!.patch({ text: 'not mine to edit' })
    await replication.awaitInSync()
    replication.reSync()
    await replication.awaitInSync()
    t.strictSame(await held(), await server.held())
    t.match((await server.held()).at(-2), { text: 'edited here' })
    t.equal((await messages.findOne(theirs!.key).exec())?.error, 'NOT_ALLOWED')

    const invisible = await messages.insert(newMessage(userId, '\u200b'))
    await replication.awaitInSync()
    t.equal((await messages.findOne(invisible.key).exec())?.error, 'VALIDATION')
    await invisible.getLatest().remove()
    await mine!.getLatest().patch({ text: '', isDeleted: true })
    await replication.awaitInSync()
    replication.reSync()
    await replication.awaitInSync()
    t.strictSame(await held(), await server.held())
    t.match((await server.held()).at(-2), { isDeleted: true, text: '' })
  })
})
