// node examples/bot.mjs: answers `!echo …`, after `npm run build`. A crash repeats work, never an answer.
import { createClient } from '@tidelog/client'
import { socketTransport } from '@tidelog/client/socket'

const { SERVER: url = 'http://localhost:5000', NAME: username = 'echo_bot', PASSWORD: password = 'a long password' } = process.env
const bot = createClient({ url, socket: socketTransport() })
await bot.login({ username, password })
  .catch(() => bot.register({ username, password, fullName: 'Echo', email: `${username}@example.com` }))
await bot.start()
for await (const message of bot.inbox()) {
  const chat = bot.conversation(message.conversationId)
  const [, text] = /^!echo (.+)/s.exec(message.text) ?? []
  if (text) await chat.send(text, { replyTo: message, clientMessageId: `echo-${message.id}` })
  await chat.markRead(message)
}
