// USERNAME=… PASSWORD=… node examples/bot.mjs: answers `!echo …`. A crash repeats work, never an answer. After `npm run build`.
import { createClient } from '@tidelog/client'
import { socketTransport } from '@tidelog/client/socket'

const { SERVER = 'http://localhost:5000', USERNAME: username = 'echo_bot', PASSWORD: password = 'a long password' } = process.env
const bot = createClient({ url: SERVER, socket: socketTransport() })
await bot.login({ username, password })
  .catch(() => bot.register({ username, password, fullName: 'Echo', email: `${username}@example.com` }))
await bot.start()
console.log(`${username} listens`)

for await (const message of bot.inbox()) {
  const chat = bot.conversation(message.conversationId)
  if (message.text.startsWith('!echo ')) await chat.send(message.text.slice(6), { replyTo: message, clientMessageId: `echo-${message.id}` })
  await chat.markRead(message)
}
