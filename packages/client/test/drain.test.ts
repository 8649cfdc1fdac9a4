import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startCluster } from '../../../test/helpers/cluster.ts'
import { noRedis } from '../../../test/helpers/redis.ts'
import { startBalancer } from './helpers/balancer.ts'
import { isConnected, newClient, when } from './helpers/clients.ts'

const title = 'C2: a server that gets SIGTERM under load hands its users over, and nothing is lost, doubled or moved'
t.test(title, { skip: noRedis }, async t => {
  const { servers } = await startCluster(t, 2, {
    environment: { DRAIN_SECONDS: '1', RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0' }
  })
  const { url, given } = await startBalancer(t, servers.map(({ url }) => url))
  const [ada, bob] = [await newClient(t, url), await newClient(t, url)]
  const chats = [ada.direct(bob.id), bob.direct(ada.id)] as const
  const [adas, bobs] = [chats[0].timeline({ at: 'newest' }), chats[1].timeline({ at: 'newest' })]
  const written: [string[], string[]] = [[], []]
  const end = new AbortController()

  // Both write on without a connection, and edit one message in ten, sent or not.
  const writing = Promise.all([ada, bob].map(async ({ outbox }, writer) => {
    for (let number = 0; !end.signal.aborted; number++) {
      const message = await chats[writer]!.send(`${writer}: ${number}`)
      const text = number % 10 === 0 ? `${writer}: ${number}, edited` : message.text
      if (text !== message.text) await chats[writer]!.edit(message, text)
      written[writer]!.push(text)
      await when(outbox, waiting => waiting.length < 10)
      await delay(20)
    }
  }))
  /** Bob sees what Ada writes from now on. */
  const arrival = async () => {
    const next = `0: ${written[0].length + 2}`
    await when(bobs.messages, messages => messages.some(({ text }) => text.startsWith(next)))
  }

  await arrival()
  t.equal(given[1], 0, 'all are on the first server')
  t.equal(await servers[0]!.end('SIGTERM'), 0)
  for (const { connection } of [ada, bob]) await when(connection, isConnected)
  await arrival()
  t.ok(given[1]! > 0)
  end.abort()
  await writing

  for (const { messages, loadOlder, hasOlder } of [adas, bobs]) {
    while (hasOlder.get()) await loadOlder()
    const count = written[0].length + written[1].length
    const shown = await when(messages, all => all.length >= count && all.every(({ status }) => status === 'sent'))
    for (const writer of [0, 1]) {
      const texts = shown.map(({ text }) => text).filter(text => text.startsWith(`${writer}: `))
      t.same(texts, written[writer], 'each message once, in the order in which it was written, with its edit')
    }
    t.same(shown.map(({ seq }) => seq), shown.map((_message, index) => index + 1))
  }
  for (const { outbox } of [ada, bob]) await when(outbox, waiting => waiting.length === 0)
})
