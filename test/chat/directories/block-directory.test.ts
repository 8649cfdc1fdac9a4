import t from 'tap'
import { selfLogId } from '../../../src/log/model/types.ts'
import { startApp } from '../../helpers/app.ts'

t.test('a user\'s first block takes effect even for a reader with an older head', async t => {
  const { app, call, register } = await startApp(t)
  const [ann, bob] = [await register('ann'), await register('bob')]
  const { blocks, log } = app.chat
  const before = await log.head(selfLogId(ann.id))
  t.same(await blocks.getAsOf(ann.id, before), new Set())
  await call('PUT', `/api/users/${bob.id}/block`, { token: ann.token })
  t.same(await blocks.getAsOf(ann.id, before), new Set([bob.id]))
  t.same(blocks.peek(ann.id), new Set([bob.id]))
  const body = { receiverId: ann.id, content: 'hello' }
  t.match(await call('POST', '/api/messages', { token: bob.token, body }), { status: 403 })
})
