import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { createClient, memoryStorage } from '../../src/index.ts'
import { socketTransport } from '../../src/network/socket.ts'
import type { Message } from '../../src/types.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

t.test('a bot gets what others wrote, and gets it again until it marks it as read, even after a restart', async t => {
  const { url } = await startApp(t)
  const ada = await newClient(t, url)
  const storage = memoryStorage()
  const bot = await newClient(t, url, { storage })
  await when(bot.connection, isConnected)
  for (const text of ['!echo one', 'two', '!echo three']) await ada.direct(bot.id).send(text)
  await when(ada.outbox, outbox => outbox.length === 0)

  const answered: string[] = []
  for await (const message of bot.inbox()) {
    const chat = bot.conversation(message.conversationId)
    answered.push(message.text)
    if (message.text.startsWith('!echo ')) await chat.send(message.text.slice(6), { replyTo: message, clientMessageId: `echo-${message.id}` })
    // It ends after the answer, and before it is marked as read.
    if (message.text === '!echo three') break
    await chat.markRead(message)
  }
  t.strictSame(answered, ['!echo one', 'two', '!echo three'])
  await when(bot.outbox, outbox => outbox.length === 0)
  await bot.close()

  const again = createClient({ url, storage, socket: socketTransport() })
  t.teardown(() => again.close())
  await again.resume()
  await again.start()
  const { value: message } = await again.inbox()[Symbol.asyncIterator]().next() as { value: Message }
  t.equal(message.text, '!echo three', 'what was not marked as read comes again')
  const chat = again.conversation(message.conversationId)
  await chat.send(message.text.slice(6), { replyTo: message, clientMessageId: `echo-${message.id}` })
  await chat.markRead(message)
  await when(again.outbox, outbox => outbox.length === 0)
  const timeline = ada.direct(bot.id).timeline({ at: 'newest' })
  const messages = await when(timeline.messages, messages => messages.length >= 5)
  t.strictSame(messages.map(({ text }) => text), ['!echo one', 'two', '!echo three', 'one', 'three'], 'each answer is given once')
  t.equal(messages.at(-1)?.replyTo?.id, messages[2]?.id)
})
