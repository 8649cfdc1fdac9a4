import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { noNginx, startNginx } from '../helpers/nginx.ts'
import { startNodes, type TestNode } from '../helpers/nodes.ts'
import { connect } from '../helpers/sockets.ts'

t.test('nginx in front of two servers', { skip: noNginx }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tidelog-nginx-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  const environment = { TRUST_PROXY: 'true', DRAIN_DELAY: '0', DRAIN_SECONDS: '1' }
  const { nodes, register } = await startNodes(t, 2, () => environment)
  const [here, there] = nodes as [TestNode, TestNode]
  const url = await startNginx(t, folder, [here.url, there.url])
  const [ann, bob] = [await register('ann'), await register('bob')]
  const socketsOf = ({ app }: TestNode) => app.io.of('/').sockets.size

  t.test('websockets are spread over the servers, and each gets what the other server commits', async t => {
    const sockets = await Promise.all(Array.from({ length: 6 }, async () => await connect(t, url, bob.token)))
    t.ok(socketsOf(here) > 0 && socketsOf(there) > 0, `${socketsOf(here)} and ${socketsOf(there)}`)
    const sender = await connect(t, url, ann.token)
    await sender.ask('sendDirectMessage', { receiverId: bob.id, content: 'to all of them' })
    for (const socket of sockets) t.match(await socket.wait('directMessage'), { message: 'to all of them' })
  })

  t.test('a polling client stays on one server, and so does its upgrade', async t => {
    const poll = async () => await connect(t, url, bob.token, { transports: ['polling'] })
    const polling = await Promise.all(Array.from({ length: 6 }, poll))
    const upgrading = await connect(t, url, bob.token, { transports: ['polling', 'websocket'] })
    const { engine } = upgrading.socket.io
    if (engine.transport.name !== 'websocket') await new Promise(resolve => { engine.once('upgrade', resolve) })
    for (const socket of [...polling, upgrading]) t.match(await socket.ask('setupUser'), { success: true })
  })

  t.test('sockets of a draining server reconnect by themselves to the other one', async t => {
    const options = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100 }
    const sockets = await Promise.all(Array.from({ length: 8 }, async () => await connect(t, url, bob.token, options)))
    const before = socketsOf(here)
    t.ok(before > 0)
    const back = sockets.map(async ({ socket, gone }) => {
      if (here.app.io.of('/').sockets.has(socket.id!)) {
        await gone
        await new Promise<void>(resolve => { socket.once('connect', resolve) })
      }
    })
    await here.app.drain()
    await here.app.close()
    await Promise.all(back)
    t.equal(socketsOf(there), 8)
    const sender = await connect(t, url, ann.token)
    await sender.ask('sendDirectMessage', { receiverId: bob.id, content: 'still here' })
    for (const socket of sockets) await socket.wait('directMessage', ({ message }) => message === 'still here')
  })
})
