import t from 'tap'
import { issueAdminCodes } from '../../src/auth/admin-codes.ts'
import { startApp } from '../helpers/app.ts'
import { startServer } from '../helpers/process.ts'
import { register } from '../helpers/register.ts'
import { call } from '../helpers/request.ts'

const reserved = { status: 403, body: { success: false, code: 'NOT_ALLOWED', message: /adminCode/ } }
const fields = (username: string) => ({ fullName: 'X', username, email: `${username}@example.org`, password: 'password-1' })

t.test('only a person with its code can register an administrator\'s name', async t => {
  const { app, call, register } = await startApp(t, { ADMIN_USERS: 'Root, other' })
  const claim = (username: string, adminCode?: string) => call('POST', '/api/auth/register', { body: { ...fields(username), ...(adminCode === undefined ? {} : { adminCode }) } })
  const codes = new Map((await issueAdminCodes(app.accounts)).map(({ username, code }) => [username, code]))

  for (const name of ['Root', 'root', 'ROOT']) t.match(await claim(name), reserved, name)
  t.match(await claim('Root', 'guess'), reserved)
  t.match(await claim('Root', codes.get('other')), reserved, 'the code of another name')
  const { id, token } = await register('plain')
  t.match(await call('PATCH', '/api/users/me', { token, body: { username: 'rOOt' } }), { status: 403 }, 'nor by renaming')

  t.match(await call('POST', '/api/auth/register', { body: { ...fields('root'), email: 'plain@example.org', adminCode: codes.get('Root') } }), { status: 409 }, 'a refusal does not spend it')
  const made = await claim('root', codes.get('Root'))
  t.match(made, { status: 201 })
  t.match(await call('GET', '/api/auth/me', { token: made.body.token }), { body: { user: { username: 'root', isAdmin: true } } }, 'an administrator, in another case than configured')
  t.match(await call('PATCH', `/api/admin/users/${id}`, { token: made.body.token, body: { isActive: false } }), { status: 200 })
  t.same((await issueAdminCodes(app.accounts)).map(({ username }) => username), ['other'], 'a name that has its bearer gets no more codes')
  t.same((await app.accounts.adminCodes.find().toArray()).map(({ _id }) => _id), ['other'], 'and keeps none')
  t.notMatch(JSON.stringify(await app.accounts.adminCodes.find().toArray()), codes.get('other')!, 'codes are not stored as they are')
})

t.test('the codes of the last five starts are accepted', async t => {
  const { app, call } = await startApp(t, { ADMIN_USERS: 'root' })
  const first = (await issueAdminCodes(app.accounts))[0]!.code
  const later: string[] = []
  while (later.length < 5) later.push((await issueAdminCodes(app.accounts))[0]!.code)
  const claim = (adminCode: string) => call('POST', '/api/auth/register', { body: { ...fields('root'), adminCode } })
  t.match(await claim(first), reserved)
  t.match(await claim(later[0]!), { status: 201 })
})

t.test('an account that exists when its name is configured becomes an administrator', async t => {
  const dataDir = t.testdir()
  const before = await startServer({ DATA_DIR: dataDir })
  const { token } = await register(before.url, 'early')
  await before.end('SIGTERM')
  const printed: string[] = []
  const after = await startServer({ DATA_DIR: dataDir, ADMIN_USERS: 'early,late' }, line => { printed.push(line) })
  t.match((await call(after, 'GET', '/api/auth/me', { token })).body, { user: { isAdmin: true } })
  const code = /"username":"late","adminCode":"([^"]+)"/.exec(printed.join('\n'))?.[1]
  t.ok(await register(after.url, 'late', { adminCode: code }), 'the code that the start printed')
  t.notMatch(printed.join('\n'), /"username":"early","adminCode"/)
  await after.end('SIGTERM')
})
