// node examples/terminal-chat.mjs <me> <other>: a chat that goes on while the server is away. After `npm run build`.
import { createInterface } from 'node:readline'
import { createClient } from '@tidelog/client'
import { socketTransport } from '@tidelog/client/socket'

const [me, other] = process.argv.slice(2)
const client = createClient({ url: process.env.SERVER ?? 'http://localhost:5000', socket: socketTransport() })
const password = `${me} has a long password`
await client.register({ fullName: me, username: me, email: `${me}@example.com`, password })
  .catch(() => client.login({ username: me, password }))
await client.start()
client.connection.subscribe(({ state }) => console.log(`(${state})`))
client.on('message', ({ senderId, text }) => console.log(`${client.users.get(senderId).get()?.username}: ${text}`))
client.on('failed', ({ error }) => console.log(`not sent: ${error?.message}`))

for await (const line of createInterface({ input: process.stdin })) {
  const { items } = await client.users.search(other).catch(() => ({ items: [] }))
  const user = items.find(({ username }) => username === other)
  const known = client.conversations.get().find(({ kind }) => kind === 'direct')
  const chat = user === undefined ? known && client.conversation(known.id) : client.direct(user.id)
  if (chat === undefined) console.log(`${other} is not there, or cannot be looked up now`)
  else await chat.send(line)
}
await client.close()
