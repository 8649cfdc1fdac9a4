import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { newClient, when } from '../../packages/client/test/helpers/clients.ts'
import { startApp } from '../helpers/app.ts'
import { root } from '../helpers/process.ts'
import { runExample } from '../helpers/programs.ts'
import { codeBlocksOf } from '../helpers/recipes.ts'

const code = readFileSync(join(root, 'examples', 'bot.mjs'), 'utf8')

t.test('BUILD-A-BOT shows the bot\'s code, in fifteen lines', async t => {
  t.equal(codeBlocksOf('BUILD-A-BOT.md').find(({ name }) => name === 'bot.mjs')?.code, code)
  t.equal(code.trimEnd().split('\n').length, 15)
})

t.test('the bot answers each message once, however often it is killed', async t => {
  const { url } = await startApp(t)
  const ada = await newClient(t, url)
  const run = () => runExample('examples/bot.mjs', [], { SERVER: url, NAME: 'echo_bot' })
  let bot = run()
  t.teardown(() => bot.kill())
  const id = await botId()
  const chat = ada.direct(id)
  const timeline = chat.timeline({ at: 'newest' })
  const answers = () => timeline.messages.get().filter(({ isOwn }) => !isOwn).map(({ text }) => text)
  const answered = (count: number) => when(timeline.messages, () => answers().length >= count)

  await chat.send('!echo one')
  await answered(1)
  await chat.send('nothing for a bot')
  await bot.kill()
  await chat.send('!echo two')
  await when(ada.outbox, outbox => outbox.length === 0)
  bot = run()
  await answered(2)
  await bot.kill()
  bot = run()
  await chat.send('!echo three')
  await answered(3)
  t.strictSame(answers(), ['one', 'two', 'three'])

  /** When it has registered. */
  async function botId (): Promise<string> {
    for (;;) {
      const { items: [found] } = await ada.users.search('echo_bot')
      if (found !== undefined) return found.id
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
})
