import { ObjectId } from 'mongodb'
import t from 'tap'
import { buildApp } from '../../app.ts'
import { readConfig } from '../../src/config.ts'

t.test('a server that stopped before an erased user’s messages were deleted continues at its next start', async t => {
  const environment = { DATA_DIR: t.testdir(), LOG_LEVEL: 'silent' }
  const first = await buildApp(readConfig(environment))
  t.teardown(() => first.close())
  await first.ready()
  const register = async (username: string) => (await first.inject({
    method: 'POST',
    url: '/api/auth/register',
    payload: { fullName: 'X Y', username, email: `${username}@example.org`, password: 'password-1' }
  })).json<{ token: string, user: { _id: string } }>()
  const [gone, stays] = [await register('gone'), await register('stays')]
  const sent = await first.inject({
    method: 'POST',
    url: '/api/messages',
    headers: { authorization: `Bearer ${gone.token}` },
    payload: { receiverId: stays.user._id, content: 'words' }
  })
  const { message } = sent.json<{ message: { _id: string } }>()
  // As if it had been killed between the two.
  await first.accounts.users.updateOne({ _id: new ObjectId(gone.user._id) }, { $set: { isErasing: true } })
  await first.close()

  const second = await buildApp(readConfig(environment))
  t.teardown(() => second.close())
  const deleted = new Promise<void>(resolve => {
    second.chat.log.onCommitted(({ rows }) => {
      if (rows.some(({ row }) => row._id.toHexString() === message._id && row.isDeleted === true)) resolve()
    })
  })
  await second.ready()
  await deleted
})
