import t from 'tap'
import { newClient, when } from '../../packages/client/test/helpers/clients.ts'
import type { Attachment, Client, Conversation, Message } from '../../packages/client/src/types.ts'
import { startApp } from '../helpers/app.ts'
import { importRecipe, unpack } from '../helpers/recipes.ts'

interface Recipe {
  sendFiles: (client: Client, chat: Conversation, files: Iterable<Blob>, text?: string) => Promise<Message>
  shownOf: (client: Client, attachment: Attachment) => Promise<{ address: string, sent: number }>
  onRefused: (client: Client, tell: (key: string, code: string) => void) => () => void
}

const folder = unpack(t, 'recipes/files.md')
const { sendFiles, shownOf, onRefused } = await importRecipe<Recipe>(folder, 'files.mjs')

t.test('the recipe sends files, shows them before and after, and says what is refused', async t => {
  const { url } = await startApp(t, { FILE_TYPES: 'text/*' })
  const [ada, bob] = [await newClient(t, url), await newClient(t, url)]
  const chat = ada.direct(bob.id)
  const sent = await sendFiles(ada, chat, [new File(['low tide at six'], 'notes.txt')], 'notes')
  const before = await shownOf(ada, sent.attachments[0]!)
  t.equal(await (await fetch(before.address)).text(), 'low tide at six')

  const timeline = bob.direct(ada.id).timeline({ at: 'newest' })
  const [got] = await when(timeline.messages, messages => messages.length > 0)
  const { address, sent: bytes } = await shownOf(bob, got!.attachments[0]!)
  t.equal(bytes, 15)
  t.equal(await (await fetch(address)).text(), 'low tide at six')

  const refused = new Promise(resolve => { onRefused(ada, (key, code) => { resolve([key, code]) }) })
  const gif = await sendFiles(ada, chat, [new Blob(['GIF89a…'])])
  t.strictSame(await refused, [gif.key, 'UNSUPPORTED_MEDIA_TYPE'])
})
