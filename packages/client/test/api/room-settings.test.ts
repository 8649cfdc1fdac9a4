import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

t.test('topic, description and picture of a room are in its conversation, and change everywhere', async t => {
  const { url } = await startApp(t)
  const [ada, bob] = [await newClient(t, url), await newClient(t, url)]
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  const picture = 'https://example.org/garden.png'
  const made = await ada.rooms.create({ name: 'Garden', topic: 'What grows', description: 'One\ntwo', picture })
  t.match(made, { topic: 'What grows', description: 'One\ntwo', picture })
  t.match(ada.room(made.id).summary.get(), { topic: 'What grows', description: 'One\ntwo', picture })
  const theirs = await bob.rooms.join(made.id)
  t.match(theirs.summary.get(), { topic: 'What grows', picture })
  t.match(await ada.rooms.update(made.id, { topic: 'What blooms', picture: null }), { picture: null })
  const summary = await when(theirs.summary, summary => summary?.topic === 'What blooms')
  t.match(summary, { description: 'One\ntwo', picture: undefined })
  t.match(await bob.rooms.get(made.id), { topic: 'What blooms', picture: null })
})
