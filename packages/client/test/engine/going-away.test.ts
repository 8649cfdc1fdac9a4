import t from 'tap'
import { createClient, memoryStorage } from '../../src/index.ts'
import type { SocketTransport } from '../../src/network/transport.ts'
import { when } from '../helpers/clients.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const user = { id: 'a'.repeat(24), fullName: 'Ada', username: 'ada', picture: null }
const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('C8: a client leaves a server at the time that it names, not before, and soon reconnects', async t => {
  const clock = new FakeClock()
  const storage = memoryStorage()
  const session = { user, token: 't', issuedAt: clock.now(), expiresAt: clock.now() + 86_400_000, refreshToken: 'r' }
  await storage.setSession(session)
  const [opened, closed]: [number[], number[]] = [[], []]
  let say = (_name: string, _payload: unknown) => {}
  const socket: SocketTransport = {
    open: async ({ onEvent }) => {
      opened.push(clock.now())
      say = onEvent
      return {
        ask: async () => ({ success: true, heads: {} }),
        tell: () => {},
        close: () => { closed.push(clock.now()) }
      }
    }
  }
  const answer = { success: true, conversations: [], hasMore: false, serverTime: new Date(clock.now()) }
  const fetch = async () => Response.json(answer)
  const client = createClient({ url: 'http://localhost', storage, clock, fetch, socket, random: () => 0.5 })
  t.teardown(() => client.close())
  await client.resume()
  await client.start()
  await when(client.connection, ({ state }) => state === 'live')
  const toldAt = clock.now()
  say('goingAway', { reconnectAfterMs: 5_000 })
  while (opened.length < 2) {
    await turn()
    clock.advance(100)
  }
  t.equal(closed[0]! - toldAt, 5_000)
  t.ok(opened[1]! - closed[0]! <= 1_000, 'after a part of a second')
})
