import fc from 'fast-check'
import t from 'tap'
import { Channels } from '../../src/nodes/channels.ts'
import type { Link } from '../../src/nodes/link.ts'

const names = ['a', 'b', 'c', 'd']

/** A link that answers when it is told to. */
function slowLink () {
  const subscribed = new Set<string>()
  const waiting: Array<{ channels: readonly string[], resolve: () => void, reject: (error: Error) => void }> = []
  const link: Link = {
    open: () => { throw new Error('The channels do not open the link') },
    publish: () => true,
    subscribe: channels => new Promise((resolve, reject) => { waiting.push({ channels, resolve, reject }) }),
    unsubscribe: channels => { for (const channel of channels) subscribed.delete(channel) },
    close: async () => {}
  }
  return {
    link,
    subscribed,
    answer: () => {
      const next = waiting.shift()
      if (next === undefined) return
      for (const channel of next.channels) subscribed.add(channel)
      next.resolve()
    },
    lose: () => {
      subscribed.clear()
      for (const { reject } of waiting.splice(0)) reject(new Error('lost'))
    }
  }
}

const deaf = { onActive: () => {}, onInactive: () => {} }
const turn = () => new Promise<void>(resolve => { setImmediate(resolve) })

t.test('after any wants, releases, losses and openings the wanted channels are subscribed', async () => {
  const op = fc.oneof(
    fc.record({ do: fc.constant('want' as const), name: fc.constantFrom(...names) }),
    fc.record({ do: fc.constant('release' as const), name: fc.constantFrom(...names) }),
    fc.record({ do: fc.constantFrom('answer' as const, 'lose' as const, 'open' as const, 'turn' as const) })
  )
  await fc.assert(fc.asyncProperty(fc.array(op, { maxLength: 40 }), async ops => {
    const { link, subscribed, answer, lose } = slowLink()
    const channels = new Channels(link, deaf)
    const releases = new Map<string, Array<() => void>>()
    let isOpen = false
    for (const one of ops) {
      if (one.do === 'want') releases.set(one.name, [...releases.get(one.name) ?? [], channels.want(one.name)])
      else if (one.do === 'release') releases.get(one.name)?.pop()?.()
      else if (one.do === 'answer') answer()
      else if (one.do === 'turn') await turn()
      else if (one.do === 'lose' && isOpen) {
        isOpen = false
        channels.lost()
        lose()
      } else if (one.do === 'open' && !isOpen) {
        isOpen = true
        void channels.open()
      }
    }
    if (!isOpen) void channels.open()
    let isSettled = false
    void (channels.settled() ?? Promise.resolve()).then(() => { isSettled = true })
    for (let turns = 0; turns < 10; turns++) {
      await turn()
      answer()
    }
    const wanted = names.filter(name => (releases.get(name)?.length ?? 0) > 0)
    channels.close()
    if (!isSettled) throw new Error('settled() has not resolved')
    for (const name of wanted) if (!subscribed.has(name)) throw new Error(`${name} is wanted and not subscribed`)
  }))
})

t.test('waiting for a channel does not wait for channels wanted later', async t => {
  const { link, subscribed, answer } = slowLink()
  const channels = new Channels(link, deaf)
  t.teardown(() => { channels.close() })
  void channels.open()
  t.equal(channels.settled(), undefined, 'nothing is wanted')
  channels.want('a')
  const settled = channels.settled()
  await turn()
  channels.want('b')
  answer()
  await settled
  t.same([...subscribed], ['a'])
  t.not(channels.settled(), undefined, 'the second one is under way')
})

t.test('a channel that nobody wants is given up after a while, and this is announced', async t => {
  const { link, subscribed, answer } = slowLink()
  const ended: string[] = []
  const channels = new Channels(link, { ...deaf, onInactive: names => { ended.push(...names) } }, 0)
  t.teardown(() => { channels.close() })
  void channels.open()
  const [release, other] = [channels.want('a'), channels.want('a')]
  channels.want('b')
  await turn()
  answer()
  await turn()
  release()
  channels.sweep()
  t.same(ended, [], 'somebody else wants it')
  other()
  channels.sweep()
  t.same([ended, [...subscribed]], [['a'], ['b']])
})

t.test('a channel that is given up during its subscription is not heard', async t => {
  const { link, subscribed, answer } = slowLink()
  const channels = new Channels(link, deaf, 0)
  t.teardown(() => { channels.close() })
  void channels.open()
  const release = channels.want('a')
  await turn()
  release()
  channels.sweep()
  answer()
  await turn()
  t.same([...subscribed], [])
})
