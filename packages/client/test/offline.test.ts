import 'fake-indexeddb/auto'
import t from 'tap'
import { type ServerProcess, startServer } from '../../../test/helpers/process.ts'
import { createClient } from '../src/index.ts'
import type { Client } from '../src/types.ts'
import { when } from './helpers/clients.ts'
import { program } from './helpers/program.ts'

const signIn = (client: Client, username: string) =>
  client.register({ fullName: username, username, email: `${username}@example.org`, password: 'password-1' })

t.test('C2: 200 messages written offline arrive once and in order, although program and server are killed', async t => {
  const environment = { DATA_DIR: t.testdir(), LOG_LEVEL: 'info' }
  let server: ServerProcess = await startServer(environment)
  const { url } = server
  t.teardown(() => server.end('SIGKILL'))
  const writer = program(url, 'writer')
  await signIn(writer.client, 'writer')
  const others = await Promise.all(['one', 'two', 'three', 'four', 'five'].map(async name => {
    const other = createClient({ url })
    t.teardown(() => other.close())
    return { client: other, id: (await signIn(other, `other_${name}`)).id }
  }))
  writer.kill()

  const expected = new Map(others.map(({ id }) => [id, [] as string[]]))
  let current = program(url, 'writer', { isOffline: true })
  for (let number = 0; number < 200; number++) {
    if (number % 50 === 0) {
      current.kill()
      current = program(url, 'writer', { isOffline: true })
      await current.client.resume()
    }
    const { id } = others[number % 5]!
    await current.client.direct(id).send(`message ${number}`)
    expected.get(id)!.push(`message ${number}`)
  }
  current.kill()

  for (const left of [150, 90, 40]) {
    current = program(url, 'writer')
    await current.client.resume()
    await current.client.start()
    await when(current.client.outbox, outbox => outbox.length <= left)
    if (left === 90) {
      await server.end('SIGKILL')
      server = await startServer({ ...environment, PORT: new URL(url).port })
    }
    current.kill()
  }
  current = program(url, 'writer')
  t.teardown(() => current.client.close())
  await current.client.resume()
  await current.client.start()
  await when(current.client.outbox, outbox => outbox.length === 0)

  for (const { client, id } of others) {
    await client.start()
    const [summary] = await when(client.conversations, list => list.length > 0)
    const timeline = client.conversation(summary!.id).timeline({ at: 'newest' })
    await timeline.ready
    while (timeline.hasOlder.get()) await timeline.loadOlder()
    t.strictSame(timeline.messages.get().map(({ text }) => text), expected.get(id))
  }
})
