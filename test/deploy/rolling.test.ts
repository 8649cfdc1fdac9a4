import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { isConnected, newClient, when } from '../../packages/client/test/helpers/clients.ts'
import { startCluster } from '../helpers/cluster.ts'
import { freePort } from '../helpers/free-port.ts'
import { noNginx, startNginx } from '../helpers/nginx.ts'
import { noRedis } from '../helpers/redis.ts'

const skip = noNginx === false ? noRedis : noNginx

t.test('two servers are restarted one after the other while people write, and nothing is lost', { skip }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tidelog-nginx-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  const ports = [await freePort(), await freePort()]
  const { servers, start } = await startCluster(t, 2, {
    environment: { TRUST_PROXY: 'true', DRAIN_SECONDS: '1' },
    portOf: index => ports[index % 2]!
  })
  const url = await startNginx(t, folder, [servers[0]!.url, servers[1]!.url])
  const clients = await Promise.all(Array.from({ length: 6 }, async () => await newClient(t, url)))
  const timelines = clients.map(client => client.common.timeline({ at: 'newest', pageSize: 200 }))

  const end = new AbortController()
  const written: string[] = []
  const writing = Promise.all(clients.slice(0, 3).map(async (client, writer) => {
    for (let number = 0; !end.signal.aborted; number++) {
      const text = `${writer}: ${number}`
      written.push(text)
      await client.common.send(text)
      await when(client.outbox, waiting => waiting.length < 3)
      // A person's pace: as fast as they can they would write thousands.
      await delay(50)
    }
  }))
  await when(timelines[5]!.messages, messages => messages.length > 5)
  for (const index of [0, 1]) {
    t.equal(await servers[index]!.end('SIGTERM'), 0)
    await start()
    await Promise.all(clients.map(async client => { await when(client.connection, isConnected) }))
  }
  end.abort()
  await writing
  for (const client of clients) await when(client.outbox, waiting => waiting.length === 0)
  const wanted = [...written].sort()
  for (const { messages } of timelines) {
    const isSent = ({ status }: { status: string }) => status === 'sent'
    const shown = await when(messages, all => all.length >= written.length && all.every(isSent))
    t.same(shown.map(({ text }) => text).sort(), wanted, 'each client shows each message once')
  }
})
