import { ObjectId } from 'mongodb'
import t from 'tap'
import { makeLink } from '../../../src/files/links.ts'
import { contentOf, png, uploaded } from '../../helpers/files.ts'
import { type User, startRooms } from '../../helpers/rooms.ts'
import { connect } from '../../helpers/sockets.ts'

const test = await startRooms(t)
const { app, call, ann, bob, eve, dan, root, make, invite } = test
const { files } = app

const reads = async (user: User, fileId: string): Promise<boolean> => {
  const [content, info, links] = await Promise.all([
    contentOf(test, fileId, user.token),
    call('GET', `/api/files/${fileId}`, { token: user.token }),
    call('POST', '/api/files/links', { token: user.token, body: { fileIds: [fileId] } })
  ])
  const may = content.status === 200
  if ((info.status === 200) !== may || (fileId in links.body.links) !== may) throw new Error('the routes differ')
  if (
    !may && (content.status !== 404 || info.status !== 404)
  ) throw new Error(`not 404 but ${content.status} and ${info.status}`)
  return may
}
const send = async (
  user: User, to: object, fileIds: string[], more: object = {}
) => await call('POST', '/api/messages', {
  token: user.token, body: { ...to, content: '', attachments: fileIds.map(fileId => ({ fileId })), ...more }
})

t.test('only its uploader can read a file until a message carries it; then so can everybody who sees that', async t => {
  const fileId = await uploaded(test, ann.token, png)
  t.ok(await reads(ann, fileId))
  t.notOk(await reads(bob, fileId))
  const sent = await send(ann, { receiverId: bob.id }, [fileId])
  t.equal(sent.status, 201)
  t.strictSame(sent.body.message.attachments, [
    { _id: fileId, name: 'a.png', type: 'image/png', size: png.length, width: 1, height: 1 }
  ])
  t.equal(sent.body.message.messageType, 'image', 'the message is of the type of its files')
  t.ok(await reads(bob, fileId))
  t.notOk(await reads(eve, fileId))
  await call('DELETE', `/api/messages/${sent.body.message._id}`, { token: ann.token })
  t.notOk(await reads(bob, fileId), 'the message is gone')
})

t.test('history, sync, push and sockets carry the files of a message', async t => {
  const socket = await connect(t, test.url, bob.token)
  const [first, second] = [await uploaded(test, ann.token), await uploaded(test, ann.token)]
  const sender = await connect(t, test.url, ann.token)
  const said = await sender.ask('sendDirectMessage', {
    receiverId: bob.id,
    content: 'two',
    attachments: [
      { fileId: first, durationMs: 5, blurhash: 'LEHV6nWB2yk8' }, { fileId: second, width: 3, height: 4 }
    ]
  })
  const { attachments } = said.message
  t.match(attachments, [{ _id: first, durationMs: 5, blurhash: 'LEHV6nWB2yk8' }, { _id: second, width: 3, height: 4 }])
  const { _id, conversationId, seq } = said.message
  t.strictSame((await socket.wait('directMessage', message => message._id === _id)).attachments, attachments)
  const page = await call('GET', `/api/conversations/${conversationId}/messages?around=${seq}`, { token: bob.token })
  t.strictSame(page.body.messages.find((message: { _id: string }) => message._id === _id).attachments, attachments)
  const sync = await call('POST', '/api/sync', { token: bob.token, body: {} })
  const changes = sync.body.conversations.find(
    (one: { conversationId: string }) => one.conversationId === conversationId
  ).changes
  t.strictSame(changes.at(-1).message.attachments, attachments)
  const push = await call('POST', '/api/sync/push', {
    token: ann.token,
    body: {
      operations: [
        {
          opId: '1',
          type: 'send',
          receiverId: bob.id,
          content: '',
          clientMessageId: 'files',
          attachments: [
            { fileId: first }
          ]
        }
      ]
    }
  })
  t.match(push.body.results, [{ success: true, message: { attachments: [{ _id: first }], messageType: 'file' } }])
})

t.test('a retry finds the stored message even if its file is gone; with other files it is another message', async t => {
  const fileId = await uploaded(test, ann.token)
  const other = await uploaded(test, ann.token)
  const sent = await send(ann, { receiverId: bob.id }, [fileId], { clientMessageId: 'retried' })
  t.equal(sent.status, 201)
  t.match(await send(ann, { receiverId: bob.id }, [fileId], { clientMessageId: 'retried' }), {
    status: 200, body: { duplicate: true }
  })
  t.match(await send(ann, { receiverId: bob.id }, [other], { clientMessageId: 'retried' }), {
    status: 409, body: { code: 'IDEMPOTENCY_MISMATCH' }
  })
  await call('DELETE', `/api/messages/${sent.body.message._id}`, { token: ann.token })
  await files.files.updateOne({ _id: new ObjectId(fileId) }, { $set: { state: 'gone' } })
  t.match(await send(ann, { receiverId: bob.id }, [fileId], { clientMessageId: 'retried' }), {
    status: 200, body: { duplicate: true, message: { isDeleted: true } }
  })
  t.match(await send(ann, { receiverId: bob.id }, [fileId]), { status: 400, body: { code: 'VALIDATION' } })
})

t.test('you cannot send a file that you may not read, but can forward one that you may', async t => {
  const fileId = await uploaded(test, ann.token)
  t.match(await send(eve, { receiverId: bob.id }, [fileId]), { status: 400, body: { code: 'VALIDATION', message: /attachments/ } })
  t.match(await send(eve, { receiverId: bob.id }, [new ObjectId().toHexString()]), { status: 400, body: { code: 'VALIDATION', message: /attachments/ } })
  await send(ann, { receiverId: bob.id }, [fileId])
  t.equal((await send(bob, { receiverId: dan.id }, [fileId])).status, 201)
  t.ok(await reads(dan, fileId))
})

t.test('the files of a message are bounded, and its text may be missing only beside files', async t => {
  const fileId = await uploaded(test, ann.token)
  t.match(await send(ann, { receiverId: bob.id }, [fileId, fileId.toUpperCase()]), { status: 400, body: { message: /once/ } })
  t.match(await send(ann, { receiverId: bob.id }, Array.from({ length: 11 }, () => new ObjectId().toHexString())), { status: 400, body: { message: /attachments/ } })
  t.match(await send(ann, { receiverId: bob.id }, []), { status: 400, body: { message: /content/ } })
  const { body: { message } } = await send(ann, { receiverId: bob.id }, [fileId], { content: 'look' })
  const emptied = await call('PUT', `/api/messages/${message._id}`, { token: ann.token, body: { content: '' } })
  t.match(emptied, {
    status: 200, body: { message: { message: '', attachments: [{ _id: fileId }] } }
  }, 'an edit leaves the files')
})

t.test('in a room, members read files; strangers, former members and later members of older ones do not', async t => {
  const roomId = await make(ann, { isPrivate: true, history: 'joined' })
  await invite(ann, roomId, bob)
  const fileId = await uploaded(test, ann.token)
  const sent = await call(
    'POST', `/api/rooms/${roomId}/messages`, { token: ann.token, body: { content: '', attachments: [{ fileId }] } }
  )
  t.equal(sent.status, 201)
  t.ok(await reads(bob, fileId))
  await invite(ann, roomId, dan)
  t.notOk(await reads(dan, fileId), 'it was sent before')
  t.notOk(await reads(root, fileId), 'administrators are strangers too')
  await call('DELETE', `/api/rooms/${roomId}/members/me`, { token: bob.token })
  t.notOk(await reads(bob, fileId))
})

t.test('a file disappears with its message (deleted, hidden, cleared), and cannot be forwarded then', async t => {
  const conversationId = `dm_${[ann.id, bob.id].sort().join('_')}`
  const settings = `/api/conversations/${conversationId}`
  const end: Array<[string, (sent: { _id: string, seq: number }) => Promise<{ status: number }>]> = [
    ['hidden', ({ seq }) => call('PATCH', settings, { token: bob.token, body: { hideSeqs: [seq] } })],
    ['cleared', ({ seq }) => call('PATCH', settings, { token: bob.token, body: { clearThroughSeq: seq } })],
    ['deleted', ({ _id }) => call('DELETE', `/api/messages/${_id}`, { token: ann.token })]
  ]
  for (const [how, run] of end) {
    const fileId = await uploaded(test, ann.token)
    const { body: { message } } = await send(ann, { receiverId: bob.id }, [fileId])
    t.ok(await reads(bob, fileId))
    t.equal((await run(message)).status, 200, how)
    t.notOk(await reads(bob, fileId), how)
    t.match(await send(bob, { receiverId: eve.id }, [fileId]), { status: 400, body: { code: 'VALIDATION' } }, how)
    t.notOk(await reads(eve, fileId))
    t.ok(await reads(ann, fileId), 'its owner has it until it is collected')
  }
})

t.test('a file of a user you blocked is hidden with its message', async t => {
  const fileId = await uploaded(test, ann.token)
  t.equal((await call(
    'POST', '/api/common-chat/message', { token: ann.token, body: { content: '', attachments: [{ fileId }] } }
  )).status, 201)
  t.ok(await reads(eve, fileId))
  await call('PUT', `/api/users/${ann.id}/block`, { token: eve.token })
  t.notOk(await reads(eve, fileId))
  t.ok(await reads(dan, fileId))
})

t.test('a link works without a token, for its own file only, unchanged, and until it expires', async t => {
  const fileId = await uploaded(test, ann.token, png)
  const other = await uploaded(test, ann.token)
  const { body } = await call(
    'POST', '/api/files/links', { token: ann.token, body: { fileIds: [fileId, new ObjectId().toHexString()] } }
  )
  t.strictSame(Object.keys(body.links), [fileId])
  const { url, expiresAt } = body.links[fileId] as { url: string, expiresAt: string }
  const again = await call('POST', '/api/files/links', { token: ann.token, body: { fileIds: [fileId] } })
  t.equal(again.body.links[fileId].url, url, 'links of one hour are alike')
  const fetched = await fetch(test.url + url)
  t.equal(fetched.status, 200)
  t.same(Buffer.from(await fetched.arrayBuffer()), png)
  const leftMs = new Date(expiresAt).getTime() - Date.now()
  t.ok(leftMs > 3_590_000 && leftMs <= 7_200_000)
  const ended = makeLink(files.linkKey, fileId, Date.now() - 7_200_000).url
  const signature = new URL(url, test.url).searchParams.get('s')!
  const guessed = [
    ended, url.replace(fileId, other), url.replace(/e=\d+/, 'e=9999999999'), url.replace(signature, 'A'.repeat(22)),
    url.replace(/&s=.*/, '&s='),
    url.replace(signature, 'é'), `/api/files/${fileId}/content?s=${signature}`
  ]
  for (const link of guessed) {
    const { status } = await fetch(test.url + link)
    t.equal(status, 404, link)
  }
  t.equal((await fetch(`${test.url}/api/files/${fileId}/content`)).status, 401)
  t.equal((await fetch(`${test.url}/api/files/${fileId}/content?e=1`)).status, 401)
})
