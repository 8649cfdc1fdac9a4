import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { sweepRetention } from '../../src/chat/conversations/retention.ts'
import { roomConversationId } from '../../src/chat/rules/conversation-id.ts'
import type { FilesContext } from '../../src/files/context.ts'
import { removeOwnFile, requireOwnUpload } from '../../src/files/own-upload.ts'
import { noteUse, sweepFiles } from '../../src/files/sweep.ts'
import { begin, contentOf, folderOf, uploaded } from '../helpers/files.ts'
import { startRooms } from '../helpers/rooms.ts'

const test = await startRooms(t)
const { app, call, ann, bob, make } = test
const { files, chat } = app
const dayMs = 86_400_000

/** Sweeps as if so much time had passed. */
const sweepIn = async (ms: number, context: FilesContext = files) => await sweepFiles(
  { ...context, now: () => Date.now() + ms }
)
const isThere = async (id: string) => {
  const row = await files.files.findOne({ _id: new ObjectId(id) })
  const blob = existsSync(join(folderOf(files), id))
  if ((row !== null) !== blob) throw new Error('row and blob differ')
  return blob
}
const send = async (fileId: string, path = '/api/messages', to: object = { receiverId: bob.id }) =>
  (await call('POST', path, { token: ann.token, body: { ...to, content: '', attachments: [{ fileId }] } })).body.message
const used = async () => (await files.usage.findOne({ _id: new ObjectId(ann.id) }))?.bytes ?? 0

t.test('files not sent within a day are deleted, and so are unfinished uploads', async t => {
  const before = await used()
  const fileId = await uploaded(test, ann.token)
  const unfinished = (await begin(test, ann.token, 10)).at.split('/').at(-1)!
  await sweepIn(dayMs - 60_000)
  t.ok(await isThere(fileId))
  t.ok(await isThere(unfinished))
  await sweepIn(dayMs + 60_000)
  t.notOk(await isThere(fileId))
  t.notOk(await isThere(unfinished))
  t.equal(await used(), before, 'the quota has it back')
  t.equal((await files.usage.findOne({ _id: new ObjectId(ann.id) }))?.unfinished, 0)
})

/** A context in which something happens just before a file is marked as gone. */
const whenMarked = (happen: () => Promise<void>): FilesContext => ({
  ...files,
  files: new Proxy(files.files, {
    get (collection, name) {
      const value = Reflect.get(collection, name) as unknown
      if (name !== 'updateOne') return typeof value === 'function' ? value.bind(collection) as unknown : value
      return async (...given: Parameters<typeof collection.updateOne>) => {
        if (JSON.stringify(given[1]).includes('gone')) await happen()
        return await collection.updateOne(...given)
      }
    }
  })
})

t.test('a file stays as long as a message carries it', async t => {
  const fileId = await uploaded(test, ann.token)
  const [first, second] = [await send(fileId), await send(fileId, '/api/common-chat/message', {})]
  await sweepIn(7 * dayMs)
  t.ok(await isThere(fileId))
  t.equal((
    await files.files.findOne({ _id: new ObjectId(fileId) })
  )?.checkAt, undefined, 'nobody looks again without a reason')
  t.match(
    await call('DELETE', `/api/files/${fileId}`, { token: ann.token }), { status: 403, body: { code: 'NOT_ALLOWED' } }
  )
  await call('DELETE', `/api/messages/${first._id}`, { token: ann.token })
  await sweepIn(dayMs)
  t.ok(await isThere(fileId))
  await call('DELETE', `/api/messages/${second._id}`, { token: ann.token })
  await sweepIn(60_000)
  t.ok(await isThere(fileId), 'a deletion that has just begun may still be under way')
  await sweepIn(dayMs)
  t.notOk(await isThere(fileId))
})

t.test('a file is deleted with messages that are purged by age', async t => {
  const fileId = await uploaded(test, ann.token)
  const { conversationId } = await send(fileId)
  t.equal((await contentOf(test, fileId, bob.token)).status, 200)
  await sweepIn(dayMs)
  await chat.log.collections.rows.updateMany(
    { conversationId, kind: 'message' }, { $set: { createdAt: new Date(Date.now() - 40 * dayMs) } }
  )
  await sweepRetention(chat, { days: 30 })
  t.equal(await chat.log.collections.rows.countDocuments({ conversationId, kind: 'message' }), 0)
  t.ok(await isThere(fileId))
  t.equal((await contentOf(test, fileId, bob.token)).status, 404, 'until then only its owner may still read it')
  await sweepIn(dayMs)
  t.notOk(await isThere(fileId))
})

t.test('a file is deleted with its room', async t => {
  const roomId = await make(ann)
  const fileId = await uploaded(test, ann.token)
  await send(fileId, `/api/rooms/${roomId}/messages`, {})
  await sweepIn(dayMs)
  t.ok(await isThere(fileId))
  await call('DELETE', `/api/rooms/${roomId}`, { token: ann.token })
  t.equal((await chat.log.head(roomConversationId(roomId)))?.deleted, true)
  await sweepIn(dayMs)
  t.notOk(await isThere(fileId))
})

t.test('a sweep and a send of the same file cannot both succeed', async t => {
  const fileId = await uploaded(test, ann.token)
  const row = (await files.files.findOne({ _id: new ObjectId(fileId) }))!
  // The send begins when the sweep has looked, and commits after the sweep.
  const sweeping = sweepIn(2 * dayMs, whenMarked(async () => {
    await noteUse({ ...files, now: () => Date.now() + 2 * dayMs }, row, 'common_chat')
  }))
  t.equal((await sweeping).removed, 0)
  t.ok(await isThere(fileId))
})

t.test('a file cannot be deleted when it was sent after the deletion had looked', async t => {
  const fileId = await uploaded(test, ann.token)
  let message: { _id: string } | undefined
  const context = whenMarked(async () => { message ??= await send(fileId) })
  const row = await requireOwnUpload(context, new ObjectId(ann.id), new ObjectId(fileId))
  await t.rejects(removeOwnFile(context, row), { code: 'NOT_ALLOWED' })
  t.ok(message?._id)
  t.ok(await isThere(fileId))
})

t.test('a file cannot be deleted while the message that is to carry it is being committed', async t => {
  const fileId = await uploaded(test, ann.token)
  const { log } = chat
  const commit = log.commit
  t.teardown(() => { log.commit = commit })
  const deleting: Array<Awaited<ReturnType<typeof call>>> = []
  log.commit = async unit => {
    deleting.push(await call('DELETE', `/api/files/${fileId}`, { token: ann.token }))
    return await commit.call(log, unit)
  }
  const message = await send(fileId)
  t.match(deleting, [{ status: 403, body: { code: 'NOT_ALLOWED' } }])
  t.match(message.attachments, [{ _id: fileId }])
  t.ok(await isThere(fileId))
})

t.test('a file that its owner deletes after a refused send is removed once no message can carry it', async t => {
  const [fileId, other] = [await uploaded(test, ann.token), await uploaded(test, ann.token)]
  for (const id of [fileId, other]) {
    const body = { content: '', replyTo: new ObjectId().toHexString(), attachments: [{ fileId: id }] }
    t.equal((await call('POST', '/api/common-chat/message', { token: ann.token, body })).status, 400)
  }
  const { status, body } = await call('DELETE', `/api/files/${fileId}`, { token: ann.token })
  t.match({ status, body }, { status: 403, body: { code: 'NOT_ALLOWED', message: /the server removes it/ } })
  await sweepIn(3_590_000)
  t.ok(await isThere(fileId))
  await sweepIn(3_610_000)
  t.notOk(await isThere(fileId))
  t.ok(await isThere(other), 'others can be sent for a day')
  await sweepIn(2 * dayMs)
})

t.test('a deletion that a crash interrupted is completed by the next sweep', async t => {
  const fileId = await uploaded(test, ann.token)
  const broken: FilesContext = {
    ...files,
    blobs: Object.assign(
      Object.create(files.blobs) as typeof files.blobs, { remove: async () => { throw new Error('the disk is away') } }
    )
  }
  t.match(await sweepIn(2 * dayMs, broken), { removed: 0, failed: 1, err: /away/ })
  t.equal((await files.files.findOne({ _id: new ObjectId(fileId) }))?.state, 'gone')
  t.equal((await call('GET', `/api/files/${fileId}`, { token: ann.token })).status, 404, 'meanwhile nobody reads it')
  t.equal((await sweepIn(2 * dayMs)).removed, 1)
  t.notOk(await isThere(fileId))
})
