import type { Collection } from '@tanstack/db'
import t from 'tap'
import { isConnected, newClient, when } from '../../packages/client/test/helpers/clients.ts'
import type { Conversation, Message, Timeline } from '../../packages/client/src/types.ts'
import { startApp } from '../helpers/app.ts'
import { importRecipe, unpack } from '../helpers/recipes.ts'

interface Recipe {
  messageCollection: (chat: Conversation) => { collection: Collection<Message, string>, timeline: Timeline }
}

const folder = unpack(t, 'recipes/tanstack-db.md')
const { messageCollection } = await importRecipe<Recipe>(folder, 'tanstack-db.mjs')

t.test('a TanStack DB collection shows what the client holds, and writes through it, also offline', async t => {
  const { url } = await startApp(t)
  let isOnline = true
  const offline: typeof fetch = async (...given) => {
    if (!isOnline) throw new TypeError('fetch failed')
    return await fetch(...given)
  }
  const ada = await newClient(t, url, { live: false, fetch: offline })
  const bob = await newClient(t, url)
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  const theirs = bob.direct(ada.id)
  for (const text of ['one', 'two', 'three']) await theirs.send(text)
  await when(ada.conversations, ([first]) => first?.lastMessage?.text === 'three')

  const { collection } = messageCollection(ada.direct(bob.id))
  await collection.preload()
  const texts = () => collection.toArray.map(({ text, isDeleted }) => isDeleted ? '' : text)
  const until = (wanted: string[]) => new Promise<void>(resolve => {
    const look = () => {
      if (JSON.stringify(texts()) !== JSON.stringify(wanted)) return
      end.unsubscribe()
      resolve()
    }
    const end = collection.subscribeChanges(look)
    look()
  })
  t.strictSame(texts(), ['one', 'two', 'three'])
  const newest = theirs.timeline({ at: 'newest' })
  await newest.ready
  await theirs.delete(newest.messages.get()[0]!)
  await theirs.edit(newest.messages.get()[1]!, 'two, edited')
  await until(['', 'two, edited', 'three'])

  isOnline = false
  const key = 'chosen-by-the-app'
  const insert = collection.insert({ key, text: 'four', createdAt: Date.now() } as Message)
  t.equal(texts().at(-1), 'four', 'shown at once')
  await insert.isPersisted.promise
  await collection.update(key, draft => { draft.text = 'four, edited' }).isPersisted.promise
  t.equal(collection.get(key)?.status, 'queued')
  isOnline = true
  await when(newest.messages, messages => messages.at(-1)?.text === 'four, edited')
  await when(ada.outbox, outbox => outbox.length === 0)
  t.match(collection.get(key), { status: 'sent', seq: 4 })
  await collection.delete(key).isPersisted.promise
  await when(newest.messages, messages => messages.at(-1)?.isDeleted === true)
  t.strictSame(texts(), ['', 'two, edited', 'three', ''])
  await collection.cleanup()
})
