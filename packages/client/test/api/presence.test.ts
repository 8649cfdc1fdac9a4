import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

const window = new EventTarget()
Object.assign(globalThis, { window, document: Object.assign(new EventTarget(), { visibilityState: 'visible' }) })
t.teardown(() => {
  for (const name of ['window', 'document']) Reflect.deleteProperty(globalThis, name)
})

t.test('all whose presence is followed are told of, whoever came later, and after a look at the page', async t => {
  const { url } = await startApp(t)
  const [ada, bob, cid] = [await newClient(t, url), await newClient(t, url), await newClient(t, url)]
  for (const client of [ada, bob, cid]) await when(client.connection, isConnected)
  for (const other of [bob, cid]) await ada.direct(other.id).send('hello')
  await when(ada.outbox, outbox => outbox.length === 0)
  const [bobs, cids] = [ada.presence([bob.id]), ada.presence([cid.id])]
  const is = (id: string, status: string) =>
    (map: ReadonlyMap<string, { status: string }>) => map.get(id)?.status === status
  await when(bobs, is(bob.id, 'online'))
  await when(cids, is(cid.id, 'online'))
  const told: unknown[] = []
  t.teardown(bobs.subscribe(map => { told.push(map.get(bob.id)?.status) }))
  t.teardown(cids.subscribe(() => {}))
  window.dispatchEvent(new Event('focus'))
  await ada.sync()
  await Promise.all([bob.stop(), cid.stop()])
  await when(bobs, is(bob.id, 'offline'))
  await when(cids, is(cid.id, 'offline'))
  t.same(told.at(-1), 'offline')
})
