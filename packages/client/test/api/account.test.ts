import t from 'tap'
import { memoryStorage } from '../../src/index.ts'
import { startApp } from '../../../../test/helpers/app.ts'
import { newClient, when } from '../helpers/clients.ts'

t.test('an account that is erased leaves nothing on its device, and tombstones to the others', async t => {
  const { app, url } = await startApp(t)
  const storage = memoryStorage()
  const ada = await newClient(t, url, { storage })
  const bob = await newClient(t, url)
  await ada.direct(bob.id).send('hello')
  const seen = bob.direct(ada.id).timeline()
  t.teardown(() => { seen.close() })
  await when(seen.messages, messages => messages.some(({ text }) => text === 'hello'))

  await t.rejects(ada.account.erase({ password: 'wrong' }), { code: 'INVALID_CREDENTIALS' })
  t.equal(ada.session.get().state, 'signedIn')
  await ada.account.erase({ password: 'password-1' })
  t.same(ada.session.get(), { state: 'signedOut' })
  t.same(ada.conversations.get(), [])
  await app.continueErasures()
  const [message] = await when(seen.messages, ([first]) => first?.isDeleted === true)
  t.equal(message!.text, '')
  await when(bob.users.get(ada.id), user => user?.fullName === 'Deleted user')
})
