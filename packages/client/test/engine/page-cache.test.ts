import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { memoryStorage } from '../../src/index.ts'
import { TidelogError } from '../../src/errors.ts'
import { socketTransport } from '../../src/network/socket.ts'
import type { SocketTransport } from '../../src/network/transport.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

/** What of a browser's page this package listens to. */
const window = new EventTarget()
Object.assign(globalThis, { window, document: Object.assign(new EventTarget(), { visibilityState: 'visible' }) })
t.teardown(() => {
  for (const name of ['window', 'document']) Reflect.deleteProperty(globalThis, name)
})

function fire (name: string, persisted: boolean): void {
  window.dispatchEvent(Object.assign(new Event(name), { persisted }))
}

/** Sockets that a frozen page loses without hearing of it. */
function freezing () {
  const real = socketTransport()
  const opened = { count: 0 }
  let isFrozen = false
  const transport: SocketTransport = {
    open: async options => {
      isFrozen = false
      opened.count++
      const onEvent: typeof options.onEvent = (...event) => { if (!isFrozen) options.onEvent(...event) }
      const socket = await real.open({ ...options, onEvent })
      const ask: typeof socket.ask = async (...question) => {
        if (isFrozen) throw new TidelogError({ code: 'TIMEOUT' })
        return await socket.ask(...question)
      }
      return { ...socket, ask }
    }
  }
  return { transport, opened, freeze: () => { isFrozen = true } }
}

t.test('a page that comes back from the browser\'s cache reconnects, and shows what it missed', async t => {
  const { url } = await startApp(t)
  const sockets = freezing()
  const storage = memoryStorage()
  const [ada, bob] = [await newClient(t, url, { socket: sockets.transport, storage }), await newClient(t, url)]
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  const chat = ada.direct(bob.id)
  const timeline = chat.timeline()
  await bob.direct(ada.id).send('one')
  await when(timeline.messages, messages => messages.length === 1)
  fire('pageshow', false)
  t.equal(sockets.opened.count, 1, 'the first show of a page is no return')

  fire('pagehide', true)
  sockets.freeze()
  await bob.direct(ada.id).send('two')
  await when(bob.outbox, outbox => outbox.length === 0)
  // Another tab wrote, and its words to this one were lost.
  await (await storage.open(ada.id)).commit({ drafts: [[chat.id, 'begun in the other tab']] })
  fire('pageshow', true)
  await when(timeline.messages, messages => messages.at(-1)?.text === 'two')
  await when(ada.connection, isConnected)
  t.equal(sockets.opened.count, 2)
  t.equal(chat.draft.get(), 'begun in the other tab')
})

t.test('a page whose device has no network asks at once whether its socket reaches the server', async t => {
  const { url } = await startApp(t)
  const sockets = freezing()
  const ada = await newClient(t, url, { socket: sockets.transport })
  await when(ada.connection, isConnected)
  sockets.freeze()
  const lost = when(ada.connection, connection => !isConnected(connection))
  fire('offline', false)
  await lost
  await when(ada.connection, isConnected)
  t.equal(sockets.opened.count, 2)
})
