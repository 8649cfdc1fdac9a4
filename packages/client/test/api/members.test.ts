import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { newClient, when } from '../helpers/clients.ts'

t.test('a user who opens the members of a room offline sees them when the connection is back', async t => {
  const { url } = await startApp(t)
  let refused = 0
  const lossy: typeof globalThis.fetch = async (input, init) => {
    if (!String(input).includes('/members?') || refused === 2) return await fetch(input, init)
    refused++
    throw new TypeError('fetch failed')
  }
  const ada = await newClient(t, url, { live: false, fetch: lossy })
  const { id } = await ada.rooms.create({ name: 'Garden' })
  const members = await when(ada.room(id).members, list => list.some(({ joinedAt }) => joinedAt !== undefined))
  t.match(members, [{ userId: ada.id, role: 'owner' }])
  t.equal(refused, 2)
})
