import { ObjectId } from 'mongodb'
import t from 'tap'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import type { Subscriptions } from '../../src/live/subscriptions.ts'
import { UserChanges } from '../../src/live/user-changes.ts'
import type { SyncContext } from '../../src/sync/context.ts'
import { UserDirectory } from '../../src/users/user-directory.ts'
import type { Identity } from '../../src/users/identity.ts'
import { FakeIo } from '../model/sockets.ts'

const [ada, bob, cid] = ['a', 'b', 'c'].map(letter => new ObjectId(letter.repeat(24))) as [ObjectId, ObjectId, ObjectId]
const identityOf = (id: ObjectId) => ({ id, userId: id.toHexString() }) as Identity

/** Ada, who shares a direct conversation with Bob, a room of 200 with everybody, and one of 201. */
function stage () {
  const told: Array<[client: number, fullName: string]> = []
  const timers: Array<() => void> = []
  const errors: unknown[] = []
  const row = { _id: ada, fullName: 'Ada', username: 'ada' }
  let read = async () => [{ ...row }]
  const users = new UserDirectory({ find: () => ({ batchSize: () => ({ toArray: () => read() }) }) } as never)
  const io = new FakeIo(({ of }, event, payload) => {
    if (event === 'userChanged') told.push([of, (payload as { user: { fullName: string } }).user.fullName])
  })
  const list = [directId(identityOf(ada).userId, identityOf(bob).userId), 'room_small', 'room_large', 'common_chat']
  const heads = new Map([['room_small', { memberCount: 200 }], ['room_large', { memberCount: 201 }]])
  const sync = {
    chat: { users, log: { head: async () => undefined, heads: async () => heads } },
    conversations: { get: async () => ({ list: list.map(conversationId => ({ conversationId })) }) }
  }
  const changes = new UserChanges({
    io: io.server,
    sync: sync as unknown as SyncContext,
    subscriptions: { countIn: () => 1 } as unknown as Subscriptions,
    onError: error => { errors.push(error) },
    later: act => {
      timers.push(act)
      return () => { timers.splice(timers.indexOf(act), 1) }
    }
  })
  const rename = (fullName: string) => {
    row.fullName = fullName
    users.announceChange(identityOf(ada).userId, true)
  }
  const failing = () => { read = async () => { throw new Error('no') } }
  return { io, told, timers, errors, users, changes, rename, failing }
}

const settled = async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
}

t.test('each socket that shares a direct conversation or small room is told once, also your own', async t => {
  const { io, told, users, rename } = stage()
  io.connect(identityOf(ada), 0)
  io.connect(identityOf(bob), 1).join('room_small')
  io.connect(identityOf(cid), 2).join('room_small')
  io.connect(identityOf(cid), 3).join(['room_large', 'common_chat'])
  rename('Ada L.')
  await settled()
  t.same(told.sort(), [[0, 'Ada L.'], [1, 'Ada L.'], [2, 'Ada L.']])
  users.announceChange(identityOf(ada).userId)
  await settled()
  t.equal(told.length, 3, 'a change that nobody sees is not told')
})

t.test('changes within a second are announced as one, in their last state', async t => {
  const { io, told, timers, rename } = stage()
  io.connect(identityOf(ada), 0)
  for (const name of ['one', 'two', 'three']) rename(name)
  await settled()
  const first = told.length
  timers.shift()!()
  await settled()
  t.equal(told.at(-1)?.[1], 'three')
  t.equal(told.length, first + 1)
  timers.shift()!()
  await settled()
  t.equal(timers.length, 0, 'nothing more is due')
  rename('four')
  await settled()
  t.equal(told.at(-1)?.[1], 'four')
})

t.test('a failed read loses only its own event, and nothing is announced after the end', async t => {
  const { io, told, timers, errors, changes, rename, failing } = stage()
  io.connect(identityOf(ada), 0)
  failing()
  rename('lost')
  await settled()
  t.same([told, errors.length, timers.length], [[], 1, 1])
  changes.stop()
  t.equal(timers.length, 0)
  rename('late')
  await settled()
  t.same([told, errors.length], [[], 1])
})
