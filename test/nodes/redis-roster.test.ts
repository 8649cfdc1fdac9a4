import t, { type Test } from 'tap'
import { newNodeId } from '../../src/lib/node-id.ts'
import { type RedisClient, newClient } from '../../src/nodes/redis-client.ts'
import { RedisRoster } from '../../src/nodes/redis-roster.ts'
import { noRedis, startRedis } from '../helpers/redis.ts'

t.test('a roster in Redis', { skip: noRedis }, async t => {
  const redis = await startRedis(t)

  /** A node's roster, with its lease. */
  async function join (t: Test, prefix = 'test:') {
    const client = newClient(redis.url, 5_000, () => {})
    await client.connect()
    t.teardown(() => { client.destroy() })
    let open: RedisClient | undefined = client
    const nodeId = newNodeId()
    const roster = new RedisRoster(() => open, prefix, nodeId)
    await roster.renew(client)
    return { nodeId, roster, client, close: () => { open = undefined } }
  }

  t.test('each node enters its users, and every node knows who is where', async t => {
    const [one, two] = [await join(t), await join(t)]
    await one.roster.enter([['ann', 1_000], ['bob', 2_000]])
    await two.roster.enter([['bob', 3_000]])
    const known = await two.roster.nodesOf(['ann', 'bob', 'nobody'])
    t.same(known.get('ann'), [{ nodeId: one.nodeId, lastActiveAt: 1_000 }])
    t.same(new Set(known.get('bob')?.map(({ nodeId, lastActiveAt }) => `${nodeId} ${lastActiveAt}`)),
      new Set([`${one.nodeId} 2000`, `${two.nodeId} 3000`]))
    t.notOk(known.has('nobody'))

    one.roster.leave('bob')
    await one.client.ping()
    t.same((await one.roster.nodesOf(['bob'])).get('bob'), [{ nodeId: two.nodeId, lastActiveAt: 3_000 }])
    t.same(await (await join(t, 'other:')).roster.nodesOf(['ann']), new Map(), 'another database has its own')
  })

  t.test('the users of a node whose lease has ended are left out, until it renews it', async t => {
    const [here, died] = [await join(t), await join(t)]
    await died.roster.enter([['eve', 1_000]])
    t.same(await here.roster.endedOf([here.nodeId, died.nodeId]), [])
    const lease = `test:node:${died.nodeId}`
    const left = await here.client.pTTL(lease)
    t.ok(left > 0 && left <= 10_000, 'a lease ends by itself')
    await here.client.del(lease)
    t.same(await here.roster.endedOf([here.nodeId, died.nodeId]), [died.nodeId])
    t.same(await here.roster.nodesOf(['eve']), new Map())
    await died.roster.renew(died.client)
    t.ok((await here.roster.nodesOf(['eve'])).has('eve'))
  })

  t.test('thousands of users are entered at once, and their entries expire by themselves', async t => {
    const { roster, client } = await join(t)
    const users = Array.from({ length: 1_200 }, (_, index) => `user-${index}`)
    await roster.enter(users.map(userId => [userId, 1_000]))
    t.equal((await roster.nodesOf(users)).size, users.length)
    t.ok(await client.ttl('test:online:user-1199') > 0)
  })

  t.test('without a link, or with a silent Redis, no other users are known, and no call waits long', async t => {
    const { nodeId, roster, client, close } = await join(t)
    await roster.enter([['ann', 1_000]])
    redis.freeze()
    t.same([await roster.nodesOf(['ann']), await roster.endedOf([nodeId])], [new Map(), []])
    redis.thaw()
    await client.ping()
    close()
    await roster.enter([['late', 1_000]])
    roster.leave('ann')
    t.same([await roster.nodesOf(['ann']), await roster.endedOf([nodeId])], [new Map(), []])
    t.equal(await client.exists('test:online:late'), 0)
  })
})
