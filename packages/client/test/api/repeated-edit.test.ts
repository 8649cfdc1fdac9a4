import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { createClient } from '../../src/index.ts'
import { socketTransport } from '../../src/network/socket.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

const { url } = await startApp(t)

/** A network that loses the answer to the first edit, and from then on lets nothing through until it is told to. */
function network ({ losesRows }: { losesRows: boolean }) {
  let hasLost = false
  let edits = 0
  let isRestored = false
  let restore = () => {}
  const restored = new Promise<void>(resolve => { restore = resolve }).then(() => { isRestored = true })
  let tellLost = () => {}
  const lost = new Promise<void>(resolve => { tellLost = resolve })
  const lossy: typeof globalThis.fetch = async (input, init) => {
    const isEdit = String(init?.body).includes('"type":"edit"')
    if (isEdit) edits++
    if (hasLost && (losesRows || isEdit)) await restored
    const answer = await fetch(input, init)
    if (hasLost && losesRows && !isRestored) throw new TypeError('The connection was lost')
    if (!isEdit || hasLost) return answer
    hasLost = true
    tellLost()
    throw new TypeError('The connection was lost')
  }
  return { fetch: lossy, lost, restore: () => { restore() }, edits: () => edits }
}

/** Ada writes a message and edits it on her laptop; the answer to that is lost. */
async function edited (losesRows = true) {
  const lossy = network({ losesRows })
  const [laptop, bob] = [await newClient(t, url, { live: false, fetch: lossy.fetch }), await newClient(t, url)]
  await Promise.all([when(laptop.connection, isConnected), when(bob.connection, isConnected)])
  const phone = createClient({ url, socket: socketTransport() })
  t.teardown(() => phone.close())
  await phone.login({ username: laptop.session.get().user!.username, password: 'password-1' })
  await phone.start()
  const chat = laptop.direct(bob.id)
  const timeline = chat.timeline()
  await chat.send('first')
  const [message] = await when(timeline.messages, ([message]) => message?.status === 'sent')
  const small = phone.direct(bob.id).timeline()
  const bobs = bob.direct(laptop.id).timeline()
  await chat.edit(message!, 'by the laptop')
  await lossy.lost
  const reaches = (where: typeof small, text: string) => when(where.messages, ([message]) =>
    message?.text === text && message.status === 'sent')
  await reaches(small, 'by the laptop')
  return { lossy, laptop, phone, bob, chat, timeline, small, bobs, reaches }
}

t.test('an edit whose answer was lost does not overwrite the newer one of another device', async t => {
  const { lossy, laptop, phone, bob, chat, timeline, small, bobs, reaches } = await edited()
  const failed = new Promise(resolve => laptop.on('failed', resolve))
  await phone.direct(bob.id).edit(small.messages.get()[0]!, 'by the phone')
  await reaches(bobs, 'by the phone')
  lossy.restore()
  t.match(await failed, { type: 'edit', attempts: 2, error: { code: 'CONFLICT' } })
  t.equal(bobs.messages.get()[0]?.text, 'by the phone')
  const [mine] = await when(timeline.messages, ([message]) => message?.error?.current?.text === 'by the phone')
  t.match(mine, { text: 'by the laptop', status: 'failed' }, 'the user is shown both')
  await chat.retry(mine!)
  await reaches(bobs, 'by the laptop')
  await when(laptop.outbox, outbox => outbox.length === 0)
})

t.test('a reaction meanwhile does not count as an edit: the repeated edit is done', async () => {
  const { lossy, laptop, bob, bobs, reaches } = await edited()
  await bob.direct(laptop.id).react(bobs.messages.get()[0]!, '👍', true)
  await when(bobs.messages, ([message]) => message?.reactions[0]?.count === 1)
  lossy.restore()
  await when(laptop.outbox, outbox => outbox.length === 0)
  await reaches(bobs, 'by the laptop')
})

t.test('an edit that a sync shows as done is not sent again', async t => {
  const { lossy, laptop } = await edited(false)
  await when(laptop.outbox, outbox => outbox.length === 0)
  t.equal(lossy.edits(), 1)
  lossy.restore()
})
