import t from 'tap'
import { startCluster } from '../helpers/cluster.ts'
import type { ServerProcess } from '../helpers/process.ts'
import { noRedis } from '../helpers/redis.ts'
import { type TestSocket, connect } from '../helpers/sockets.ts'
import { type TcpProxy, startProxy } from '../helpers/tcp-proxy.ts'

t.test('three servers, one Redis, one database', { skip: noRedis }, async t => {
  const proxies: TcpProxy[] = []
  const { servers, redis, call, register, start, linked } = await startCluster(t, 3, {
    environment: { DRAIN_SECONDS: '1' },
    redisUrl: async redis => {
      const proxy = await startProxy(t, redis.port)
      proxies.push(proxy)
      return `redis://127.0.0.1:${proxy.port}`
    }
  })
  const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]
  const { body: { room } } = await call(servers[0]!, 'POST', '/api/rooms', ann.token, { name: 'x', isPrivate: true })
  const { roomId, conversationId } = room as { roomId: string, conversationId: string }
  for (const { id } of [bob, eve]) await call(servers[0]!, 'PUT', `/api/rooms/${roomId}/members/${id}`, ann.token)

  const live = async (t: Parameters<typeof connect>[0], server: ServerProcess, { token }: { token: string }) => {
    const socket = await connect(t, server.url, token)
    const { heads } = await socket.ask('setupUser', { live: true })
    return { ...socket, from: heads[conversationId].rev as number }
  }
  /** Sends a message to the room until it is acknowledged, by any server that runs. @returns its rev */
  async function say (content: string, first: number): Promise<number> {
    for (let turn = first; ; turn++) {
      const server = servers[turn % servers.length]!
      if (server.child.exitCode !== null || server.child.signalCode !== null) continue
      const sent = { content, clientMessageId: content }
      const answer = await call(server, 'POST', `/api/rooms/${roomId}/messages`, ann.token, sent).catch(() => undefined)
      if (answer?.status === 201 || answer?.status === 200) return answer.body.message.rev as number
    }
  }
  /** Ten messages by all servers. @returns the last rev */
  async function sayTen (name: string): Promise<number> {
    let last = 0
    for (let number = 0; number < 10; number++) last = Math.max(last, await say(`${name} ${number}`, number))
    return last
  }
  /** The revs of the room that a socket was told, up to this one, which it waits for. */
  async function revsUntil (socket: TestSocket, last: number): Promise<number[]> {
    await socket.wait('roomMessage', ({ rev }) => rev === last)
    const ours = socket.events.filter(({ payload }) => payload?.conversationId === conversationId)
    return ours.flatMap(({ payload }) => payload.rev === undefined ? [] : [payload.rev as number])
  }
  const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

  t.test('I7: commits of each server reach the sockets of all, in order and without a gap', async t => {
    const sockets = await Promise.all(servers.map(async server => await live(t, server, bob)))
    const last = await sayTen('all well')
    for (const socket of sockets) t.same(await revsUntil(socket, last), from(socket.from + 1, last))
  })

  t.test('I7: so they do even if the link of one server is two seconds late', async t => {
    const sockets = await Promise.all(servers.map(async server => await live(t, server, bob)))
    proxies[1]!.delay(2_000)
    const last = await sayTen('late')
    for (const socket of sockets) t.same(await revsUntil(socket, last), from(socket.from + 1, last))
    proxies[1]!.delay(0)
  })

  t.test('I4: a user who is removed while their server\'s link is cut gets nothing that follows', async t => {
    const [member, removed] = [await live(t, servers[1]!, bob), await live(t, servers[1]!, eve)]
    proxies[1]!.cut()
    t.equal((await call(servers[0]!, 'DELETE', `/api/rooms/${roomId}/members/${eve.id}`, ann.token)).status, 200)
    await say('unheard', 0)
    // The server's own commit shows it what it has missed.
    const last = await say('its own', 1)
    t.same(await revsUntil(member, last), from(member.from + 1, last))
    await removed.ask('setupUser')
    t.same(removed.all('roomMessage'), [])
    proxies[1]!.mend()
    await linked()
    await call(servers[0]!, 'PUT', `/api/rooms/${roomId}/members/${eve.id}`, ann.token)
  })

  t.test('a logout while the link is cut closes the sockets when the link is back', async t => {
    const account = { username: 'eve', password: 'password-1' }
    const { body } = await call(servers[0]!, 'POST', '/api/auth/login', undefined, account)
    const socket = await connect(t, servers[2]!.url, body.token)
    proxies[2]!.cut()
    t.equal((await call(servers[0]!, 'POST', '/api/auth/logout', body.token)).status, 200)
    proxies[2]!.mend()
    t.equal(await socket.gone, 'io server disconnect')
    await linked()
  })

  t.test('I1: nothing is lost when Redis is killed, and live delivery resumes when it is back', async t => {
    const sockets = await Promise.all(servers.map(async server => await live(t, server, bob)))
    await redis.kill()
    await sayTen('without Redis')
    await redis.restart()
    await linked()
    const last = await sayTen('with Redis')
    for (const socket of sockets) t.same(await revsUntil(socket, last), from(socket.from + 1, last))
  })

  t.test('I1: a killed server and a draining one lose nothing, and a new one takes part', async t => {
    const socket = await live(t, servers[0]!, bob)
    const saying = sayTen('while servers end')
    await servers[2]!.end('SIGKILL')
    t.equal(await servers[1]!.end('SIGTERM'), 0)
    await saying
    const fresh = await start()
    await linked()
    const late = await live(t, fresh, bob)
    const last = await sayTen('afterwards')
    t.same(await revsUntil(socket, last), from(socket.from + 1, last))
    t.same(await revsUntil(late, last), from(late.from + 1, last))
  })

  t.test('I5: in the end every message exists once', async t => {
    const { body } = await call(servers[0]!, 'GET', `/api/rooms/${roomId}/messages?limit=500`, bob.token)
    const texts = (body.messages as Array<{ message: string }>).map(({ message }) => message)
    t.equal(new Set(texts).size, texts.length)
    for (const name of ['all well', 'late', 'without Redis', 'with Redis', 'while servers end', 'afterwards']) {
      t.equal(texts.filter(text => text.startsWith(`${name} `)).length, 10, name)
    }
  })
})
