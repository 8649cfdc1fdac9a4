import t from 'tap'
import { startNodes, type TestNode } from '../helpers/nodes.ts'

const { nodes, call, register } = await startNodes(t, 2, () => ({ RATE_LIMIT_LOGIN: '3', RATE_LIMIT_REGISTER: '3' }))
const [here, there] = nodes as [TestNode, TestNode]

/** Resolves when the nodes have heard what was said until now: a later word comes after it. */
async function heard (node: TestNode): Promise<void> {
  const { users } = node.app.chat
  const { invalidate } = users
  await new Promise<void>(resolve => {
    users.invalidate = id => {
      invalidate.call(users, id)
      if (id === 'fence') resolve()
    }
    for (const other of nodes) if (other !== node) other.app.chat.users.announceChange('fence')
  })
  users.invalidate = invalidate
}

t.test('failed logins count on every node, wherever they were tried', async t => {
  await register('ann')
  const tryLogin = async (node: TestNode) =>
    (await call(node, 'POST', '/api/auth/login', undefined, { username: 'ann', password: 'wrong' })).status
  t.same([await tryLogin(here), await tryLogin(here)], [401, 401])
  await heard(there)
  t.same([await tryLogin(there), await tryLogin(there)], [401, 429])
  await heard(here)
  t.equal(await tryLogin(here), 429)
})

t.test('a node whose link is down counts on its own', async t => {
  there.link.cut()
  const tryRegister = async (username: string) => {
    const account = { fullName: 'x', username, email: `${username}@example.org`, password: 'password-1' }
    return (await call(there, 'POST', '/api/auth/register', undefined, account)).status
  }
  const statuses = [await tryRegister('bob'), await tryRegister('cid'), await tryRegister('dan')]
  t.same(statuses, [201, 201, 429], 'the one before was heard')
})
