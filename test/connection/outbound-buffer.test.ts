import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { highWaterMark } from '../../src/connection/outbound-buffer.ts'
import { startApp } from '../helpers/app.ts'
import { connectRaw } from '../helpers/raw-socket.ts'
import { connect } from '../helpers/sockets.ts'

const { app, url, register, call } = await startApp(t, { RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0' })
// Who does not read answers no pings: on a slow machine the server would end the connection before the test is through.
app.io.engine.opts.pingInterval = 3_600_000
const [ann, bob] = [await register('ann'), await register('bob')]

/** What the server holds for the sockets of a user. */
function waitingFor (userId: string): { packets: number, bytes: number } {
  const [socket] = [...app.io.of('/').sockets.values()].filter(({ data }) => data.session.identity.userId === userId)
  const { writeBuffer } = socket!.conn as unknown as { writeBuffer: Array<{ data?: string }> }
  return { packets: writeBuffer.length, bytes: writeBuffer.reduce((sum, { data }) => sum + (data?.length ?? 0), 0) }
}

t.test('a client that stops reading loses live events but no answer, and gets a resync when it reads again', async t => {
  const slow = await connectRaw(t, url, bob.token)
  slow.emit(0, 'setupUser', { live: true })
  await slow.wait(packet => packet.startsWith('430'))
  const sender = await connect(t, url, ann.token)
  slow.tcp.pause()
  // More than the operating system's buffers take.
  const content = 'x'.repeat(4_000)
  const rounds = 40
  let most = { packets: 0, bytes: 0 }
  for (let round = 0; round < rounds; round++) {
    slow.emit(round + 1, 'setupUser')
    const operations = Array.from({ length: 100 }, (_, index) => ({ opId: String(index), type: 'send', receiverId: bob.id, content }))
    const { results } = await sender.ask('push', { operations })
    t.ok(results.every(({ success }: { success: boolean }) => success))
    const { packets, bytes } = waitingFor(bob.id)
    most = { packets: Math.max(most.packets, packets), bytes: Math.max(most.bytes, bytes) }
  }
  t.ok(most.bytes > 0, 'something had to wait')
  t.ok(most.packets <= highWaterMark.packets + rounds && most.bytes < highWaterMark.bytes + (128 << 10), `at most ${most.packets} packets of ${most.bytes} bytes waited`)
  slow.tcp.resume()
  await slow.wait(packet => packet === '42["resync",{}]')
  for (let round = 0; round < rounds; round++) await slow.wait(packet => packet.startsWith(`43${round + 1}[`))
  const { message } = await sender.ask('sendDirectMessage', { receiverId: bob.id, content: 'afterwards' })
  await slow.wait(packet => packet.includes(`"_id":"${message._id}"`))
  const received = slow.packets.filter(packet => packet.startsWith('42["directMessage"')).length
  t.ok(received < rounds * 100, `${received} of ${rounds * 100} messages were sent live`)
  const { status, body } = await call('POST', '/api/sync', { token: bob.token, body: {} })
  t.equal(status, 200)
  t.ok(body.conversations.length > 0)
})

t.test('the server does not read from a client that does not read its answers', async t => {
  const greedy = await connectRaw(t, url, ann.token)
  greedy.tcp.pause()
  const asked = 200 // Of a quarter of a megabyte each.
  let most = 0
  for (let ack = 0; ack < asked; ack++) {
    greedy.emit(ack, 'sync', {})
    if (ack % 20 === 19) {
      await delay(20)
      most = Math.max(most, waitingFor(ann.id).bytes)
    }
  }
  t.ok(most < 8 << 20, `${most} bytes waited`)
  greedy.tcp.resume()
  await greedy.wait(packet => packet.startsWith(`43${asked - 1}[`))
  t.equal(greedy.packets.filter(packet => packet.startsWith('43')).length, asked, 'every question is answered in the end')
})
