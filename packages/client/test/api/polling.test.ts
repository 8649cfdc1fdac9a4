import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { newClient } from '../helpers/clients.ts'

const isSync = (input: unknown) => String(input).endsWith('/api/sync')
const isPoll = (init: RequestInit | undefined) => String(init?.body).includes('waitMs')

t.test('a room made while the first sync is still under way is there when its maker hears of it', async t => {
  const { url } = await startApp(t)
  let release = () => {}
  const isMade = new Promise<void>(resolve => { release = resolve })
  let syncs = 0
  const slow: typeof globalThis.fetch = async (input, init) => {
    const answer = await fetch(input, init)
    if (isSync(input) && ++syncs === 1) await isMade
    // The first sync read the database before the room was there, and its answer comes after.
    if (String(input).endsWith('/api/rooms')) setTimeout(release)
    return answer
  }
  const ada = await newClient(t, url, { live: false, fetch: slow })
  const { id } = await ada.rooms.create({ name: 'Garden' })
  t.equal(ada.room(id).summary.get()?.title, 'Garden')
})

t.test('a sync that is asked for does not wait for the long poll under way', async t => {
  const { url } = await startApp(t)
  const asked: string[] = []
  let polled = () => {}
  const isPolling = new Promise<void>(resolve => { polled = resolve })
  const watched: typeof globalThis.fetch = async (input, init) => {
    if (isSync(input)) asked.push(isPoll(init) ? 'poll' : 'sync')
    if (isPoll(init)) {
      init?.signal?.addEventListener('abort', () => { asked.push('given up') })
      polled()
    }
    return await fetch(input, init)
  }
  const ada = await newClient(t, url, { live: false, fetch: watched })
  await isPolling
  await ada.sync()
  const given = asked.indexOf('given up')
  t.ok(given > 0, 'the poll gave way')
  t.equal(asked[given + 1], 'sync')
  await Promise.all([ada.sync(), ada.sync(), ada.sync()])
  t.equal(ada.connection.get().state, 'polling', 'and the connection is none the worse')
})
