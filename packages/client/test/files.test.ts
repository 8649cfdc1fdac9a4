import 'fake-indexeddb/auto'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { startApp } from '../../../test/helpers/app.ts'
import { startServer } from '../../../test/helpers/process.ts'
import { createClient } from '../src/index.ts'
import { indexedDbStorage } from '../src/storage/indexeddb.ts'
import type { Client, Message } from '../src/types.ts'
import { newClient, when } from './helpers/clients.ts'
import { program } from './helpers/program.ts'

const signIn = (client: Client, username: string) =>
  client.register({ fullName: username, username, email: `${username}@example.org`, password: 'password-1' })

const contentOf = async (client: Client, message: Message | undefined, index = 0) =>
  Buffer.from(await (await fetch(await client.files.url(message!.attachments[index]!.id))).arrayBuffer())

t.test('messages with files', async t => {
  const { url, app } = await startApp(t, {
    FILES_USER_BYTES_MAX: '3000000', FILE_TYPES: 'text/*,application/octet-stream'
  })
  const bob = await newClient(t, url)
  const bobs = (of: { id: string }) => {
    const timeline = bob.direct(of.id).timeline({ at: 'newest' })
    t.teardown(async () => { timeline.close() })
    return timeline.messages
  }

  /** A client whose network is there or not, and which lets a test hold up its uploads. */
  async function newSender (name: string) {
    const network = {
      isOffline: false, lost: 0, hold: Promise.resolve() as Promise<unknown>, onDeleted: (_status: unknown) => {}
    }
    const storage = indexedDbStorage({ name })
    const client = await newClient(t, url, {
      live: false,
      storage,
      fetch: async (...given) => {
        const [, { method, signal } = {}] = given
        if (method === 'PATCH') await Promise.race([network.hold, once(signal!, 'abort')])
        if (network.isOffline) throw new TypeError('fetch failed')
        const answer = await fetch(...given)
        if (method === 'POST' && String(given[0]).endsWith('/api/files') && network.lost > 0) {
          network.lost--
          throw new TypeError('fetch failed')
        }
        if (method === 'DELETE') network.onDeleted(answer.status)
        return answer
      }
    })
    const chat = client.direct(bob.id)
    const { messages } = chat.timeline({ at: 'newest' })
    return { client, network, chat, messages, account: await storage.open(client.id) }
  }

  t.test('files that were sent offline are kept, and arrive once with their message', async t => {
    const { client, network, chat, messages, account } = await newSender('offline')
    network.isOffline = true
    const files = [new File(['one'], 'one.txt'), new File([randomBytes(600_000)], 'two')]
    const sent = await chat.send('two files', { files })
    const shown = [{ name: 'one.txt', size: 3, isPending: true }, { name: 'two' }]
    t.match(sent, { status: 'queued', type: 'file', attachments: shown })
    const keys = sent.attachments.map(({ id }) => id)
    t.equal(await (await client.files.pending(keys[0]!))?.text(), 'one')

    const progress: number[] = []
    client.files.progress.subscribe(all => { if (all.has(keys[1]!)) progress.push(all.get(keys[1]!)!) })
    network.isOffline = false
    await client.stop()
    await client.start()
    const [got] = await when(bobs(client), list => list.length === 1)
    const carried = [{ name: 'one.txt', type: 'text/plain' }, { name: 'two', size: 600_000 }]
    t.match(got, { text: 'two files', attachments: carried })
    t.equal(String(await contentOf(bob, got)), 'one')
    t.strictSame([progress[0], progress.at(-1)], [0, 600_000])
    const [own] = await when(messages, ([message]) => message?.status === 'sent')
    t.equal(own?.key, sent.key)
    t.equal(await account.file(keys[0]!), undefined, 'nothing of them is kept')
    t.equal(client.files.progress.get().size, 0)
  })

  t.test('if the answer to the creation of an upload is lost, the upload is still created once', async t => {
    const { client, network, chat } = await newSender('void')
    network.lost = 2
    await chat.send('', { files: [new Blob(['heard'])] })
    const [got] = await when(bobs(client), list => list.length === 1)
    t.equal(String(await contentOf(bob, got)), 'heard')
    t.equal(network.lost, 0)
    const userId = new ObjectId(client.id)
    t.equal(await app.files.files.countDocuments({ userId }), 1)
    t.match(await app.files.usage.findOne({ _id: userId }), { bytes: 5, unfinished: 0 })
  })

  t.test('later messages do not wait for an upload', async t => {
    const { client, network, chat } = await newSender('meanwhile')
    let release = () => {}
    network.hold = new Promise<void>(resolve => { release = resolve })
    await chat.send('', { files: [new Blob(['slow'])] })
    await chat.send('quick')
    const messages = bobs(client)
    await when(messages, ([first]) => first?.text === 'quick')
    release()
    const both = await when(messages, list => list.length === 2)
    t.strictSame(both.map(({ attachments }) => attachments.length), [0, 1])
  })

  t.test('a message cancelled in the middle of its upload leaves nothing behind, here or on the server', async t => {
    const { client, network, chat, messages, account } = await newSender('cancel')
    network.hold = new Promise(() => {})
    const sent = await chat.send('', { files: [new Blob(['never'])] })
    await when(client.files.progress, progress => progress.size > 0)
    const deleted = new Promise(resolve => { network.onDeleted = resolve })
    await chat.cancel(sent)
    t.strictSame(messages.get(), [])
    t.equal(await account.file(sent.attachments[0]!.id), undefined)
    t.equal(await deleted, 204)
    // The next upload is not held up by it.
    network.hold = Promise.resolve()
    await chat.send('next', { files: [new Blob(['next'])] })
    await when(bobs(client), ([first]) => first?.text === 'next')
  })

  t.test('a finally refused file says why, holds up nothing, and can be retried or cancelled', async t => {
    const { client, chat, messages } = await newSender('refused')
    const big = await chat.send('too much', { files: [new Blob([new Uint8Array(3_000_001)])] })
    const gif = await chat.send('a gif', { files: [new Blob(['GIF89a…'])] })
    await chat.send('fits', { files: [new Blob(['fits'])] })
    await when(bobs(client), ([first]) => first?.text === 'fits')
    const failed = await when(messages, list => list.filter(({ status }) => status === 'failed').length === 2)
    t.match(failed.find(({ key }) => key === big.key), { error: { code: 'QUOTA_EXCEEDED', retryable: false } })
    t.match(failed.find(({ key }) => key === gif.key), { error: { code: 'UNSUPPORTED_MEDIA_TYPE' } })
    const again = new Promise(resolve => { client.on('failed', resolve) })
    await chat.retry(big)
    await again
    await chat.cancel(big)
    await chat.cancel(gif)
    t.equal(client.outbox.get().length, 0)
    await t.rejects(chat.send('', { files: Array.from({ length: 11 }, () => new Blob(['x'])) }), { code: 'VALIDATION' })
  })

  t.test('a send that is repeated under its id is one message, and its files are uploaded once', async t => {
    const { client, chat, messages } = await newSender('repeated')
    const send = () => chat.send('once', { files: [new Blob(['once'])], clientMessageId: 'once' })
    await Promise.all([send(), send()])
    await when(messages, ([message]) => message?.status === 'sent')
    await send()
    t.equal(client.outbox.get().length, 0)
    t.equal((await when(bobs(client), list => list.length > 0)).length, 1)
  })
})

t.test('C2: an upload survives a crash of program or server, and is sent once', { timeout: 120_000 }, async t => {
  const environment = { DATA_DIR: t.testdir() }
  let server = await startServer(environment)
  const { url } = server
  t.teardown(() => server.end('SIGKILL'))
  const bob = createClient({ url })
  t.teardown(() => bob.close())
  const { id } = await signIn(bob, 'bob')
  const writer = program(url, 'uploads')
  const ada = await signIn(writer.client, 'ada')
  const bytes = randomBytes(12_000_000)
  const sent = await writer.client.direct(id).send('a long one', { files: [new Blob([bytes])] })
  writer.kill()

  const calls: string[] = []
  const onCall = (method: string, headers: Headers) => {
    if (headers.has('tus-resumable')) calls.push(method + (Number(headers.get('upload-offset')) > 0 ? ' on' : ''))
  }
  const reached = (at: number) => (progress: ReadonlyMap<string, number>) =>
    [...progress.values()].some(sent => sent >= at)
  let current = program(url, 'uploads', { onCall })
  for (const at of [2_000_000, 6_000_000]) {
    await current.client.resume()
    await current.client.start()
    await when(current.client.files.progress, reached(at))
    if (at > 2_000_000) {
      await server.end('SIGKILL')
      server = await startServer({ ...environment, PORT: new URL(url).port })
    }
    current.kill()
    current = program(url, 'uploads', { onCall })
  }
  t.teardown(() => current.client.close())
  await current.client.resume()
  await current.client.start()
  await when(current.client.outbox, outbox => outbox.length === 0)

  await bob.start()
  const timeline = bob.direct(ada.id).timeline({ at: 'newest' })
  const messages = await when(timeline.messages, list => list.length > 0)
  t.strictSame(messages.map(({ clientMessageId }) => clientMessageId), [sent.key])
  t.ok(bytes.equals(await contentOf(bob, messages[0])))
  t.equal(calls.filter(call => call === 'POST').length, 1, 'it was begun once')
  t.equal(calls.filter(call => call === 'PATCH').length, 1, 'and all but the first piece went on')
})
