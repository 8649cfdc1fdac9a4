// node examples/terminal-chat.mjs <me> <other>: a chat that goes on while the server is away, and over its restarts.
// After `npm run build`. What it holds is in the file `<me>.chat`, or the one that FILE names.
import { createInterface } from 'node:readline'
import { createClient } from '@tidelog/client'
import { socketTransport } from '@tidelog/client/socket'
import { fileStorage } from './file-storage.mjs'

const [me, other] = process.argv.slice(2)
const { SERVER: url = 'http://localhost:5000', FILE: file = `${me}.chat` } = process.env
const client = createClient({ url, storage: await fileStorage(file), socket: socketTransport() })
const password = `${me} has a long password`
if (await client.resume() === null) {
  await client.register({ fullName: me, username: me, email: `${me}@example.com`, password })
    .catch(() => client.login({ username: me, password }))
}
client.connection.subscribe(({ state }) => console.log(`(${state})`))
client.on('failed', ({ error }) => console.log(`(refused: ${error?.message})`))
await client.start()

const printed = new Map()
function print (messages) {
  for (const { key, isOwn, text, isDeleted, status } of messages) {
    const line = `${isOwn ? me : other}: ${isDeleted ? '(deleted)' : text}${status === 'queued' ? ' (waits)' : ''}`
    if (status === 'sending' || printed.get(key) === line) continue
    console.log(line)
    printed.set(key, line)
  }
}

let opening
async function find () {
  const isOther = ({ userId }) => userId && client.users.get(userId).get()?.username === other
  const known = client.conversations.get().find(isOther)
  if (known) return known.userId
  const { items } = await client.users.search(other)
  const user = items.find(({ username }) => username === other)
  if (!user) throw new Error(`${other} has no account yet`)
  return user.id
}
async function open () {
  const chat = client.direct(await find())
  chat.timeline({ at: 'newest' }).messages.subscribe(print)
  return chat
}
function chat () {
  opening ??= open().catch(error => { opening = undefined; throw error })
  return opening
}

client.conversations.subscribe(() => { chat().catch(() => {}) })
for await (const line of createInterface({ input: process.stdin })) {
  await chat().then(chat => chat.send(line)).catch(error => console.log(`(not sent: ${error.message})`))
}
await client.close()
