import t from 'tap'
import { startApp } from '../../../test/helpers/app.ts'
import { randomOf } from '../../../test/model/schedule.ts'
import type { Client, Conversation, Timeline } from '../src/index.ts'
import { createClient, memoryStorage } from '../src/index.ts'
import { when } from './helpers/clients.ts'
import { Weather } from './helpers/weather.ts'

/** TIDELOG_SEED repeats a run, as far as a real network and server repeat anything; TIDELOG_RUNS makes more of them. */
const first = Number(process.env['TIDELOG_SEED'] ?? Math.floor(Math.random() * 1e9))
const runs = Math.min(500, Number(process.env['TIDELOG_RUNS'] ?? 1))
const actions = 150

type Device = Client & { id: string, token: () => Promise<string> }
type Suite = Pick<typeof t, 'same' | 'equal'>
type Reactions = ReadonlyArray<{ count: number }>
interface Written { by: string, conversationId: string, text: string }

const { url, call, register } = await startApp(t)

for (let run = 0; run < runs; run++) {
  const seed = first + run
  const title = `C1 C2 C7: whatever the network does, all clients hold the same (seed ${seed})`
  t.test(title, { timeout: 120_000 }, async t => {
    const random = randomOf(seed)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
    const weather = new Weather(random)
    weather.isBad = false
    const deviceOf = async (username: string): Promise<Device> => {
      const storage = memoryStorage()
      const way = random() < 0.5 ? { socket: weather.socket } : {}
      const client = createClient({ url, storage, fetch: weather.fetch, random: () => random() / 10, ...way })
      t.teardown(() => client.close())
      const { id } = await client.login({ username, password: 'password-1' })
      await client.start()
      return { ...client, id, token: async () => (await storage.session())!.token! }
    }
    const names = ['ada', 'bob', 'cid'].map(name => `${name}_${seed}`)
    for (const name of names) await register(name)
    const [ada, bob, cid] = [await deviceOf(names[0]!), await deviceOf(names[1]!), await deviceOf(names[2]!)]
    const devices: Device[] = [ada, bob, cid, await deviceOf(names[0]!)]

    weather.isBad = true
    const { id: room, conversationId } = await kept(() => ada.rooms.create({ name: `Weather ${seed}`, history: 'all' }))
    t.ok(ada.conversation(conversationId).summary.get(), 'the room is here when it is made')
    for (const other of [bob, cid]) {
      const joined = await kept(() => other.rooms.join(room))
      t.ok(joined.summary.get(), 'and when it is joined')
    }
    const direct = ada.direct(bob.id).id
    const placesOf = (device: Device): Conversation[] => [
      device.conversation(conversationId), ...(device.id === cid.id ? [] : [device.conversation(direct)])
    ]

    const written: Written[] = []
    const windows = new Map<string, Timeline>()
    const pending: Array<Promise<unknown>> = []
    const act = async (device: Device, number: number): Promise<void> => {
      const place = pick(placesOf(device))
      const key = `${devices.indexOf(device)} ${place.id}`
      const window = windows.get(key) ?? place.timeline({ pageSize: 5 })
      windows.set(key, window)
      const own = window.messages.get().filter(({ isOwn, isDeleted }) => isOwn && !isDeleted)
      const chance = random()
      if (chance < 0.45) {
        const text = `message ${number}`
        await place.send(text)
        written.push({ by: device.id, conversationId: place.id, text })
      } else if (chance < 0.55) await device.sync()
      else if (chance < 0.65) await place.markRead()
      else if (chance < 0.7) await window.loadOlder()
      else if (chance < 0.75) await window.jumpTo(pick([1, 5, 20]))
      else if (chance < 0.78) await window.jumpTo('newest')
      else if (chance < 0.86 && own.length > 0) await place.react(pick(own), '👍', random() < 0.7)
      else if (chance < 0.9) await device.search({ text: 'message', conversationId: place.id })
      else if (chance < 0.95) {
        void device.stop()
        await device.start()
      } else if (own.length > 0 && place.id === direct) await place.pin(pick(own), true)
    }
    const failures: unknown[] = []
    for (let number = 0; number < actions; number++) {
      pending.push(act(pick(devices), number).catch((error: unknown) => { failures.push(error) }))
      if (random() < 0.5) await new Promise(resolve => setTimeout(resolve, random() * 20))
    }
    await Promise.all(pending)
    const serious = failures.filter(error => (error as { retryable?: boolean }).retryable !== true)
    t.same(serious, [], 'only the network is to blame')

    weather.isBad = false
    for (const device of devices) {
      await device.stop()
      await device.start()
    }
    for (const device of devices) await when(device.outbox, outbox => outbox.length === 0)
    for (const device of devices) await device.sync()
    for (const device of devices) for (const place of placesOf(device)) await same(t, device, place, written)
  })
}

/** Until the network lets it through. */
async function kept<T> (work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const { code, retryable } = error as { retryable?: boolean, code?: string }
      if (code === 'UNAVAILABLE' || retryable !== true) throw error
    }
  }
}

async function same (t: Suite, device: Device, place: Conversation, written: readonly Written[]): Promise<void> {
  const token = await device.token()
  const { body } = await call('GET', `/api/conversations/${place.id}/messages?limit=100`, { token })
  const there = body.messages as Array<{ seq: number, message: string, reactions: Reactions }>
  const timeline = place.timeline({ at: 'newest' })
  await timeline.ready
  while (timeline.hasOlder.get()) await timeline.loadOlder()
  const shown = timeline.messages.get()
  timeline.close()
  const plain = (list: ReadonlyArray<{ seq?: number | undefined, text: string, reactions: Reactions }>) =>
    list.map(({ seq, text, reactions }) => ({ seq, text, reactions: reactions.map(({ count }) => count) }))
  const expected = plain(there.map(({ message: text, ...rest }) => ({ text, ...rest })))
  t.same(plain(shown), expected, `${place.id} is shown as the server holds it`)
  const texts = there.map(({ message }) => message)
  const sent = written.filter(({ conversationId }) => conversationId === place.id).map(({ text }) => text)
  t.same([...texts].sort(), [...sent].sort(), 'each message once')
  const { body: listed } = await call('GET', `/api/conversations/${place.id}`, { token })
  t.equal(place.summary.get()?.unreadCount, listed.conversation.unreadCount, `unread messages of ${place.id}`)
  t.equal(place.summary.get()?.lastMessage?.text, texts.at(-1))
}
