import 'fake-indexeddb/auto'
import t from 'tap'
import { type ServerProcess, startServer } from '../../../test/helpers/process.ts'
import { createClient } from '../src/index.ts'
import { socketTransport } from '../src/network/socket.ts'
import { indexedDbStorage } from '../src/storage/indexeddb.ts'
import type { Link } from '../src/network/transport.ts'
import type { Storage } from '../src/storage/storage.ts'
import type { Client } from '../src/types.ts'
import { when } from './helpers/clients.ts'

/** A program that can end at any moment: nothing that it does afterwards reaches the disk or the network. */
function program (url: string, name: string, { isOffline = false } = {}) {
  let isDead = false
  const never = new Promise<never>(() => {})
  const disk = indexedDbStorage({ name })
  const storage: Storage = {
    ...disk,
    open: async userId => {
      const account = await disk.open(userId)
      return {
        load: () => account.load(),
        rows: (...given) => account.rows(...given),
        count: () => account.count(),
        commit: batch => isDead ? never : account.commit(batch),
        takeOver: () => account.takeOver(),
        clear: () => account.clear(),
        close: () => { account.close() }
      }
    }
  }
  const links: Link[] = []
  const transport = socketTransport()
  const client = createClient({
    url,
    storage,
    socket: {
      open: async options => {
        const link = isDead ? await never : await transport.open(options)
        links.push(link)
        return link
      }
    },
    fetch: async (...given) => {
      if (isOffline) throw new TypeError('fetch failed')
      const answer = isDead ? never : await fetch(...given)
      // It may end between the server's answer and its own hearing of it.
      return isDead ? await never : answer
    }
  })
  return {
    client,
    kill: () => {
      isDead = true
      for (const link of links) link.close()
    }
  }
}

const signIn = (client: Client, username: string) =>
  client.register({ fullName: username, username, email: `${username}@example.org`, password: 'password-1' })

t.test('C2: 200 messages written offline arrive once and in order, although program and server are killed', { timeout: 240_000 }, async t => {
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
