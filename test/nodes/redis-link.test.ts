import t, { type Test } from 'tap'
import { newNodeId } from '../../src/lib/node-id.ts'
import { Nodes } from '../../src/nodes/nodes.ts'
import { newClient } from '../../src/nodes/redis-client.ts'
import { RedisLink } from '../../src/nodes/redis-link.ts'
import { noRedis, startRedis } from '../helpers/redis.ts'

interface Words { said: { text: string } }

t.test('a link over Redis', { skip: noRedis }, async t => {
  const redis = await startRedis(t)

  /** A node that notes what it hears. `heard` waits for a text. */
  function join (t: Test) {
    const nodes = new Nodes<Words>(newNodeId(), new RedisLink(redis.url), { info: () => {}, warn: () => {} })
    const texts: string[] = []
    const waiting = new Set<() => void>()
    const look = () => { for (const act of waiting) act() }
    nodes.on('said', ({ text }) => {
      texts.push(text)
      look()
    })
    let ups = 0
    nodes.onUp(() => {
      ups++
      look()
    })
    const until = async (isTrue: () => boolean) => {
      await new Promise<void>(resolve => {
        const act = () => {
          if (!isTrue()) return
          waiting.delete(act)
          resolve()
        }
        waiting.add(act)
        act()
      })
    }
    t.teardown(() => nodes.close())
    nodes.open('test:')
    const up = async (times: number) => { await until(() => ups >= times) }
    const heard = async (text: string) => { await until(() => texts.includes(text)) }
    return { nodes, texts, up, heard }
  }

  t.test('a node counts words, dropped words and openings of the link, and measures how long a word takes', async t => {
    const [one, two] = [join(t), join(t)]
    one.nodes.send('said', ['all'], { text: 'too early' })
    t.same([one.nodes.words, one.nodes.dropped], [{ sent: 0, heard: 0 }, { down: 1, full: 0, unreadable: 0 }])
    await Promise.all([one.up(1), two.up(1)])
    one.nodes.send('said', ['all', 'nobody'], { text: 'counted' })
    await two.heard('counted')
    t.same([one.nodes.words, two.nodes.words], [{ sent: 2, heard: 0 }, { sent: 0, heard: 1 }])
    const client = newClient(redis.url, 5_000, () => {})
    await client.connect()
    t.teardown(() => { client.destroy() })
    await client.publish('test:all', 'of another version')
    one.nodes.send('said', ['all'], { text: 'later' })
    await two.heard('later')
    t.same([two.nodes.dropped.unreadable, two.nodes.openings], [1, 1])
    const isMeasured = () => one.nodes.lagSeconds.count > 0
    while (!isMeasured()) await new Promise(resolve => { setTimeout(resolve, 50) })
    t.ok(one.nodes.lagSeconds.sum > 0)
  })

  t.test('a word reaches each node that wants its channel, once, and no other node', async t => {
    const [one, two, three] = [join(t), join(t), join(t)]
    two.nodes.channels.want('a')
    two.nodes.channels.want('b')
    await Promise.all([one, two, three].map(async node => { await node.up(1) }))
    three.nodes.channels.want('c')
    await three.nodes.channels.settled()
    one.nodes.send('said', ['a', 'b'], { text: 'by both channels' })
    one.nodes.send('said', ['c'], { text: 'for the third' })
    one.nodes.send('said', ['all'], { text: 'last' })
    await Promise.all([two.heard('last'), three.heard('last')])
    t.same(two.texts, ['by both channels', 'last'])
    t.same(three.texts, ['for the third', 'last'])
    t.same(one.texts, [], 'its own words are not heard')
  })

  t.test('after Redis was killed and restarted, words reach the channels that are then wanted', async t => {
    const [one, two] = [join(t), join(t)]
    two.nodes.channels.want('before')
    await Promise.all([one.up(1), two.up(1)])
    await redis.kill()
    one.nodes.send('said', ['before'], { text: 'lost' })
    two.nodes.channels.want('meanwhile')
    await redis.restart()
    await Promise.all([one.up(2), two.up(2)])
    for (const channel of ['before', 'meanwhile']) one.nodes.send('said', [channel], { text: channel })
    await Promise.all([two.heard('before'), two.heard('meanwhile')])
    t.same(two.texts, ['before', 'meanwhile'], 'and nothing of what was said while it was away')
  })

  t.test('a frozen Redis is noticed, and words do not pile up meanwhile', async t => {
    const [one, two] = [join(t), join(t)]
    two.nodes.channels.want('a')
    await Promise.all([one.up(1), two.up(1)])
    redis.freeze()
    t.teardown(() => { redis.thaw() })
    for (let number = 0; number < 5_000; number++) one.nodes.send('said', ['a'], { text: String(number) })
    two.nodes.channels.want('b')
    await two.nodes.channels.settled()
    t.pass('nobody waits for ever')
    await new Promise<void>(resolve => {
      const timer = setInterval(() => {
        if (one.nodes.isUp || two.nodes.isUp) return
        clearInterval(timer)
        resolve()
      }, 50)
    })
    redis.thaw()
    await Promise.all([one.up(2), two.up(2)])
    one.nodes.send('said', ['b'], { text: 'again' })
    await two.heard('again')
    t.ok(two.texts.length <= 2_001, `${two.texts.length - 1} of 5,000 words were under way`)
  })
})
