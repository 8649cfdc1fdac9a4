import { createClient, type Client } from '@tidelog/client'
import { indexedDbStorage } from '@tidelog/client/indexeddb'
import { databaseName, outboxTag } from './shared.ts'

const worker = self as unknown as ServiceWorkerGlobalScope

// The build puts the list of the app's files and their version in these two places.
const files = JSON.parse('__FILES__') as string[]
const scope = new URL(worker.registration.scope)
/** Apps under several paths of one origin have each their own. */
const cachePrefix = `tidelog ${scope.pathname} `
const cacheName = cachePrefix + '__VERSION__'

/** What the server answers by itself, and no page of the app is at. */
const servers = /^(api|socket\.io|documentation|health|metrics)(\/|$)/

worker.addEventListener('install', event => {
  event.waitUntil(store())
})

worker.addEventListener('activate', event => {
  event.waitUntil(clean().then(() => worker.clients.claim()))
})

worker.addEventListener('message', event => {
  if (event.data === 'activate') void worker.skipWaiting()
})

worker.addEventListener('fetch', event => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) {
    return
  }
  const path = url.pathname.slice(scope.pathname.length)
  if (servers.test(path)) return
  if (event.request.mode === 'navigate') event.respondWith(kept('index.html', event.request))
  else if (files.includes(path)) event.respondWith(kept(path, event.request))
})

worker.addEventListener('sync', event => {
  const { tag, waitUntil } = event as ExtendableEvent & { tag: string }
  if (tag === outboxTag) waitUntil.call(event, sendOutbox())
})

worker.addEventListener('notificationclick', event => {
  event.notification.close()
  const { path } = event.notification.data as { path: string }
  event.waitUntil(show(path))
})

/** Keeps the app, each file from the server and not from the browser's own cache, all of them or none. */
async function store (): Promise<void> {
  const cache = await caches.open(cacheName)
  await cache.addAll(files.filter(isNeeded).map(file => new Request(new URL(file, scope), { cache: 'no-cache' })))
}

/** The emoji lists are large and seldom asked for: they are kept once they were read. */
const isNeeded = (file: string): boolean => !file.startsWith('assets/emoji-') && !file.startsWith('.')

async function clean (): Promise<void> {
  const names = await caches.keys()
  await Promise.all(
    names.filter(name => name.startsWith(cachePrefix) && name !== cacheName).map(name => caches.delete(name))
  )
}

async function kept (file: string, request: Request): Promise<Response> {
  const cache = await caches.open(cacheName)
  const address = new URL(file, scope).href
  const found = await cache.match(address)
  if (found !== undefined) return found
  const answer = await fetch(request)
  if (answer.ok && file !== 'index.html') await cache.put(address, answer.clone())
  return answer
}

async function show (path: string): Promise<void> {
  const windows = await worker.clients.matchAll({ type: 'window' })
  const open = windows[0]
  if (open === undefined) {
    await worker.clients.openWindow(path)
    return
  }
  open.postMessage({ path })
  await open.focus()
}

/** Milliseconds that sending may take; the browser tries again later if that was not enough. */
const sendingMs = 25_000

/** Sends what waits on this device, though no page is open any more. */
async function sendOutbox (): Promise<void> {
  const name = databaseName(scope.pathname)
  const client = createClient({ url: scope.href.replace(/\/$/, ''), storage: indexedDbStorage({ name }) })
  try {
    if (await client.resume() === null) return
    await client.start()
    await emptied(client)
  } finally {
    await client.close()
  }
}

/** Resolves when nothing waits any more. */
async function emptied (client: Client): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    setTimeout(() => {
      reject(new Error('the outbox is not empty yet'))
    }, sendingMs)
    client.outbox.subscribe(operations => {
      if (operations.every(({ state }) => state === 'failed')) resolve()
    })
  })
}
