import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { png } from '../../../../test/helpers/files.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

const { url } = await startApp(t)
const [ada, bob] = [await newClient(t, url), await newClient(t, url)]
await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
const file = new Blob([png])
const read = async (picture: string | null | undefined) => (await fetch(new URL(picture!, url))).status

t.test('an avatar is seen by others at once, and can be removed', async t => {
  const { id, picture } = await ada.users.setAvatar(file)
  t.equal(await read(picture), 200)
  t.equal(ada.session.get().user?.picture, picture)
  await ada.direct(bob.session.get().user!.id).send('hello')
  const seen = bob.users.get(id)
  await when(seen, user => user?.picture === picture)
  t.match(await ada.users.setAvatar(null), { picture: null })
  await when(seen, user => user?.picture === null)
})

t.test('a room\'s picture is in its conversation, and changes everywhere', async t => {
  const { id } = await ada.rooms.create({ name: 'Garden' })
  const theirs = await bob.rooms.join(id)
  const { picture } = await ada.rooms.setPicture(id, file)
  t.equal(await read(picture), 200)
  await when(theirs.summary, summary => summary?.picture === picture)
  t.match(await ada.rooms.setPicture(id, null), { picture: null })
  await when(theirs.summary, summary => summary?.picture === undefined)
})

t.test('a file that is not a picture is refused, and changes nothing', async t => {
  const text = new Blob(['<svg onload="alert(1)"/>'], { type: 'image/svg+xml' })
  await t.rejects(ada.users.setAvatar(text), { code: 'UNSUPPORTED_MEDIA_TYPE' })
  t.equal(ada.session.get().user?.picture, null)
})
