import { type Collection, ObjectId } from 'mongodb'
import t from 'tap'
import { UserDirectory } from '../../src/users/user-directory.ts'
import type { UserRow } from '../../src/users/user-row.ts'

/** A collection whose finds answer when the test says so, with what was stored when they were asked. */
function slowUsers (rows: Map<string, UserRow>) {
  const pending: Array<() => void> = []
  const find = () => ({
    batchSize: () => ({
      toArray: () => {
        const seen = [...rows.values()]
        return new Promise<UserRow[]>(resolve => pending.push(() => { resolve(seen) }))
      }
    })
  })
  return { collection: { find } as unknown as Collection<UserRow>, pending }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('a row that was read before its user changed is not cached', async t => {
  const _id = new ObjectId()
  const id = _id.toHexString()
  const row: UserRow = { _id, fullName: 'Ada', username: 'ada', email: 'ada@example.org', isActive: true }
  const rows = new Map([[id, row]])
  const { collection, pending } = slowUsers(rows)
  const users = new UserDirectory(collection)
  const early = users.get(id)
  while (pending.length === 0) await turn()
  rows.set(id, { ...row, isActive: false })
  users.announceChange(id)
  pending.shift()!()
  t.equal((await early)?.isActive, true, 'who asked before is answered with what was read')
  t.equal(users.peek(id), undefined)
  const late = users.get(id)
  while (pending.length === 0) await turn()
  pending.shift()!()
  t.equal((await late)?.isActive, false)
  t.equal(users.peek(id)?.isActive, false)
})

t.test('an invalid id belongs to no user, and is not looked up', async t => {
  const { collection, pending } = slowUsers(new Map())
  t.equal(await new UserDirectory(collection).get('nobody'), undefined)
  t.equal(pending.length, 0)
})
