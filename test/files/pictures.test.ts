import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { roomConversationId } from '../../src/chat/rules/conversation-id.ts'
import { examine } from '../../src/doctor/index.ts'
import { publishPicture } from '../../src/files/picture.ts'
import { sweepFiles } from '../../src/files/sweep.ts'
import { folderOf, png, uploaded } from '../helpers/files.ts'
import { startRooms, type User } from '../helpers/rooms.ts'
import { connect } from '../helpers/sockets.ts'

const test = await startRooms(t)
const { app, call, url, ann, bob, eve, as, make, invite } = test
const { files } = app
const dayMs = 86_400_000

const setAvatar = async (user: User, fileId: unknown) =>
  await call('PUT', '/api/users/me/avatar', { token: user.token, body: { fileId } })
const setPicture = async (user: User, roomId: string, picture: unknown) =>
  await as(user)('PATCH', `/${roomId}`, { picture })
const read = async (path: string) => await fetch(`${url}${path}`)
const sweepIn = async (ms: number) => await sweepFiles({ ...files, now: () => Date.now() + ms })
const isThere = (id: string) => existsSync(join(folderOf(files), id))

/** A picture that says it has so many pixels. */
function pngOf (width: number, height: number): Buffer {
  const picture = Buffer.from(png)
  picture.writeUInt32BE(width, 16)
  picture.writeUInt32BE(height, 20)
  return picture
}

t.test('everybody can read a file that is an avatar, at an address that nobody can guess', async t => {
  const fileId = await uploaded(test, ann.token, png, 'me at home.png')
  const { status, body } = await setAvatar(ann, fileId)
  t.equal(status, 200)
  const { profilePicture } = body.user
  t.match(profilePicture, new RegExp(`^/api/avatars/${fileId}-[\\w-]{22}$`))
  t.match(await call('GET', `/api/users/${ann.id}`, { token: eve.token }), { body: { user: { profilePicture } } })

  const answer = await read(profilePicture)
  t.equal(answer.status, 200)
  t.same(Buffer.from(await answer.arrayBuffer()), png)
  t.match(Object.fromEntries(answer.headers), {
    'content-type': 'image/png',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-disposition': 'inline',
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'cross-origin'
  })
  t.equal((await read(profilePicture.replace(/-.{22}$/, `-${'A'.repeat(22)}`))).status, 404)
  t.equal((await read(`/api/avatars/${fileId}`)).status, 400)
  t.equal((
    await call('GET', `/api/files/${fileId}`, { token: eve.token })
  ).status, 404, 'the file itself is still its owner\'s')
  const deleting = await call('DELETE', `/api/files/${fileId}`, { token: ann.token })
  t.match(deleting, { status: 403, body: { code: 'NOT_ALLOWED' } })
})

t.test('an address begins with that of the server, if it is known', async t => {
  const fileId = await uploaded(test, ann.token, png)
  const address = await publishPicture({ ...files, publicUrl: 'https://chat.example/a' }, new ObjectId(ann.id), fileId)
  await call('PATCH', '/api/users/me', { token: ann.token, body: { profilePicture: address } })
  t.equal((await read(new URL(address).pathname.slice('/a'.length))).status, 200)
  await sweepIn(7 * dayMs)
  t.ok(isThere(fileId))
})

t.test('others are told of a new avatar at once', async t => {
  await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'hello' } })
  const { wait } = await connect(t, url, bob.token)
  const { profilePicture } = (await setAvatar(ann, await uploaded(test, ann.token, png))).body.user
  t.ok(await wait('userChanged', ({ user }) => user.profilePicture === profilePicture))
})

t.test('an avatar is kept while it is in use, and its address ends when it is replaced', async t => {
  const first = await uploaded(test, ann.token, png)
  const { profilePicture } = (await setAvatar(ann, first)).body.user
  await sweepIn(7 * dayMs)
  t.ok(isThere(first))
  t.equal((await files.files.findOne({ _id: new ObjectId(first) }))?.checkAt, undefined)
  const second = await uploaded(test, ann.token, png)
  await setAvatar(ann, second)
  await sweepIn(7 * dayMs)
  t.notOk(isThere(first))
  t.ok(isThere(second))
  t.equal((await read(profilePicture)).status, 404)
  t.match(await setAvatar(ann, null), { status: 200, body: { user: { profilePicture: null } } })
  await sweepIn(7 * dayMs)
  t.notOk(isThere(second))
})

t.test('an avatar that is replaced by a web address is removed', async t => {
  const fileId = await uploaded(test, ann.token, png)
  await setAvatar(ann, fileId)
  await sweepIn(7 * dayMs)
  await call('PATCH', '/api/users/me', { token: ann.token, body: { profilePicture: 'https://example.org/a.png' } })
  await sweepIn(7 * dayMs)
  t.notOk(isThere(fileId))
})

t.test('a file that a message carries outlives its use as an avatar, but is no longer public', async t => {
  const fileId = await uploaded(test, ann.token, png)
  await call('POST', '/api/messages', {
    token: ann.token, body: { receiverId: bob.id, content: '', attachments: [{ fileId }] }
  })
  const { profilePicture } = (await setAvatar(ann, fileId)).body.user
  await setAvatar(ann, null)
  await sweepIn(7 * dayMs)
  t.ok(isThere(fileId))
  t.equal((await read(profilePicture)).status, 404)
  t.equal((await call('GET', `/api/files/${fileId}`, { token: bob.token })).status, 200)
  const again = (await setAvatar(ann, fileId)).body.user.profilePicture
  t.not(again, profilePicture, 'its next address is another one')
  t.equal((await read(again)).status, 200)
  await setAvatar(ann, null)
})

t.test('a room has a picture of its own, until it is replaced or the room is deleted', async t => {
  const [first, second] = [await uploaded(test, ann.token, png), await uploaded(test, ann.token, png)]
  const roomId = await make(ann, { picture: { fileId: first } })
  await invite(ann, roomId, bob)
  const { picture } = (await as(bob)('GET', `/${roomId}`)).body.room
  t.match(picture, new RegExp(`^/api/avatars/${first}-[\\w-]{22}$`))
  t.equal((await read(picture)).status, 200)

  const changed = await setPicture(ann, roomId, { fileId: second })
  t.equal(changed.status, 200)
  const now = changed.body.room.picture
  const { body } = await call('POST', '/api/sync', { token: bob.token, body: { cursors: {} } })
  const isRoom = ({ conversationId }: { conversationId: string }) => conversationId === roomConversationId(roomId)
  const { changes } = body.conversations.find(isRoom)
  t.match(changes.find((change: { kind: string }) => change.kind === 'meta'), { picture: now })
  const { body: { conversations } } = await call('GET', '/api/conversations?kind=room', { token: bob.token })
  t.match(conversations, [{ picture: now }])
  await sweepIn(7 * dayMs)
  t.notOk(isThere(first))
  t.ok(isThere(second))

  t.match(await setPicture(bob, roomId, { fileId: await uploaded(test, bob.token, png) }), { status: 403 })
  t.equal((await as(ann)('GET', `/${roomId}`)).body.room.picture, now)
  const third = await uploaded(test, ann.token, png)
  t.match(await setPicture(ann, roomId, { fileId: third }), { status: 200 })
  await as(ann)('DELETE', `/${roomId}`)
  await sweepIn(7 * dayMs)
  t.notOk(isThere(third))
})

t.test('one file can be the picture of a person and of rooms, and stays for each of them', async t => {
  const fileId = await uploaded(test, ann.token, png)
  const roomId = await make(ann, { picture: { fileId } })
  await setAvatar(ann, fileId)
  await sweepIn(7 * dayMs)
  await setAvatar(ann, null)
  await sweepIn(7 * dayMs)
  t.equal((await read((await as(ann)('GET', `/${roomId}`)).body.room.picture)).status, 200)
  await setPicture(ann, roomId, null)
  await sweepIn(7 * dayMs)
  t.notOk(isThere(fileId))
})

t.test('the doctor finds nothing wrong with pictures, and finds those of accounts that are gone', async t => {
  const { client, db } = app.mongo
  const orphans = async () => {
    const found: string[] = []
    await examine(client, db!, {
      repair: false, blobs: files.blobs, onDefect: ({ fileId }) => { found.push(fileId!) }
    })
    return found
  }
  const zoe = await test.register('zoe')
  const fileId = await uploaded(test, zoe.token, png)
  const ofRoom = await uploaded(test, ann.token, png)
  await setAvatar(zoe, fileId)
  await make(ann, { picture: { fileId: ofRoom } })
  await sweepIn(7 * dayMs)
  t.strictSame(await orphans(), [])
  await app.chat.collections.users.deleteOne({ _id: new ObjectId(zoe.id) })
  t.strictSame(await orphans(), [fileId])
})

const noPicture = { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' }
const unfit = { status: 400, code: 'VALIDATION' }
const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
const bmp = Buffer.from('BM\x3a\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00')
const tooLong = Buffer.concat([png, Buffer.alloc(5_242_881 - png.length)])

const refusals: Array<{ what: string, content: Buffer | string, status: number, code: string }> = [
  { what: 'SVG', content: svg, ...noPicture },
  { what: 'HTML named as a picture', content: '<!doctype html><script>alert(1)</script>', ...noPicture },
  { what: 'a picture of another kind', content: bmp, ...noPicture },
  { what: 'nothing', content: '', ...noPicture },
  { what: 'a small file that unpacks to ten gigabytes', content: pngOf(50_000, 50_000), ...unfit },
  { what: 'a picture that is one pixel too wide', content: pngOf(4_097, 1), ...unfit },
  { what: 'a picture without a size', content: png.subarray(0, 16), ...unfit },
  { what: 'a JPEG that ends before its size', content: Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]), ...unfit },
  { what: 'a picture that is one byte too large', content: tooLong, status: 413, code: 'TOO_LARGE' }
]

for (const { what, content, status, code } of refusals) {
  t.test(`${what} is not accepted as a picture`, async t => {
    const fileId = await uploaded(test, ann.token, content, 'a.png')
    t.match(await setAvatar(ann, fileId), { status, body: { code } })
    const roomId = await make(ann)
    t.match(await setPicture(ann, roomId, { fileId }), { status, body: { code } })
    t.equal((await as(ann)('GET', `/${roomId}`)).body.room.picture, null)
    t.equal((await files.files.findOne({ _id: new ObjectId(fileId) }))?.pictureKey, undefined)
  })
}

t.test('a picture of the largest allowed size is accepted', async t => {
  const content = Buffer.concat([pngOf(4_096, 4_096), Buffer.alloc(5_242_880 - png.length)])
  t.equal((await setAvatar(ann, await uploaded(test, ann.token, content))).status, 200)
})

t.test('you cannot use another user\'s file, or one that does not exist, as your picture', async t => {
  const fileId = await uploaded(test, bob.token, png)
  const roomId = await make(ann)
  for (const id of [fileId, 'f'.repeat(24)]) {
    t.match(await setAvatar(ann, id), { status: 400, body: { code: 'VALIDATION', message: /fileId/ } })
    t.match(await setPicture(ann, roomId, { fileId: id }), { status: 400, body: { code: 'VALIDATION' } })
  }
  for (const junk of [undefined, 1, true, '', 'x', {}, [], { $ne: null }, 'f'.repeat(25)]) {
    t.match(await setAvatar(ann, junk), { status: 400, body: { code: 'VALIDATION' } })
    t.match(await setPicture(ann, roomId, { fileId: junk }), { status: 400, body: { code: 'VALIDATION' } })
  }
  t.match(await setPicture(ann, roomId, { fileId, more: 1 }), { status: 400 })
  for (const path of ['', '/', `/${'f'.repeat(24)}-`, '/..%2f..%2fjwt-secret', `/${fileId}-${'$'.repeat(22)}`]) {
    t.ok([400, 404].includes((await read(`/api/avatars${path}`)).status), path)
  }
})
