import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

const { url } = await startApp(t)

/** A network that can put a portal between the client and the server: whatever is under way then is cut off. */
async function network (portal: RequestListener) {
  const server = createServer(portal).listen(0)
  t.teardown(() => server.close())
  const portalUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let isOpen = true
  let cut = new AbortController()
  const through: typeof globalThis.fetch = async (input, init) => {
    const { signal } = cut
    const cutOff = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => { reject(new TypeError('network changed')) })
    })
    return await Promise.race([fetch(isOpen ? input : String(input).replace(url, portalUrl), init), cutOff])
  }
  const set = (open: boolean) => {
    isOpen = open
    cut.abort()
    cut = new AbortController()
  }
  return { fetch: through, set }
}

const page: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome to the hotel</html>')
}
const login: RequestListener = (request, response) => {
  if (request.url === '/login') page(request, response)
  else response.writeHead(302, { location: '/login' }).end()
}

for (const [name, portal, code] of [['a page', page, 'BAD_ANSWER'], ['a redirect', login, 'OFFLINE']] as const) {
  t.test(`a captive portal that answers ${name} is not the server: messages wait, and go out once`, async t => {
    const between = await network(portal)
    const ada = await newClient(t, url, { live: false, fetch: between.fetch, random: () => Math.random() / 20 })
    const bob = await newClient(t, url)
    await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
    between.set(false)
    const told = await when(ada.connection, ({ state, error }) => state === 'offline' && error?.code === code)
    t.match(told, { error: { retryable: true } })
    await t.rejects(ada.users.search('bob'), { code, retryable: true })
    await ada.direct(bob.id).send('from the hotel')
    t.match(ada.outbox.get(), [{ state: 'queued' }])
    t.match(ada.session.get(), { state: 'signedIn' }, 'the portal ends no session')
    between.set(true)
    const timeline = bob.direct(ada.id).timeline()
    await when(timeline.messages, ([message]) => message?.text === 'from the hotel')
    await when(ada.outbox, outbox => outbox.length === 0)
    t.equal(timeline.messages.get().length, 1)
  })
}
