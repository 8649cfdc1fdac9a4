import t from 'tap'
import { backfill } from '../../src/engine/backfill.ts'
import { Engine } from '../../src/engine/engine.ts'
import { emptyConversation } from '../../src/pure/state.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const turn = () => new Promise(resolve => { setImmediate(resolve) })

/** Conversations of so many messages, of which the newest 50 are held; the last one was used last. */
async function engineWith (count: number, messages: number): Promise<Engine> {
  const engine = new Engine('a', await memoryStorage().open('a'), { onFailure: () => {}, onLost: () => {} })
  await engine.commit({
    conversations: Array.from({ length: count }, (_, index) => ({
      ...emptyConversation(`room_${index}`, 'room'),
      top: messages,
      isFresh: false,
      ranges: [[messages - 49, messages]],
      activityAt: index
    }))
  })
  return engine
}

async function pass (clock: FakeClock): Promise<void> {
  for (let round = 0; round < 200; round++) {
    await turn()
    clock.advance(1_000)
  }
}

t.test('the newest 200 messages of the 20 most recently used conversations are loaded, in pages', async t => {
  const engine = await engineWith(25, 1_000)
  const clock = new FakeClock()
  const asked: Array<[string, number, number]> = []
  const done = backfill({
    engine,
    clock,
    signal: new AbortController().signal,
    loadHistory: async (id, before, limit) => {
      asked.push([id, before, limit])
      const record = engine.conversations.get(id)!
      await engine.commit({ conversations: [{ ...record, ranges: [[before - limit, record.top]] }] })
    }
  })
  await pass(clock)
  await done
  t.strictSame(asked.slice(0, 2), [['room_24', 951, 100], ['room_24', 851, 50]])
  t.equal(new Set(asked.map(([id]) => id)).size, 20)
  t.equal(asked.length, 40)
})

t.test('loading of a conversation ends at its beginning, and after a page that changes nothing', async t => {
  const engine = await engineWith(2, 50)
  await engine.commit({ conversations: [{ ...engine.conversations.get('room_0')!, top: 90, ranges: [[60, 90]] }] })
  const clock = new FakeClock()
  const asked: string[] = []
  const done = backfill({
    engine, clock, signal: new AbortController().signal, loadHistory: async id => { asked.push(id) }
  })
  await pass(clock)
  await done
  t.strictSame(asked, ['room_0'])
})

t.test('loading ends with the connection', async t => {
  const engine = await engineWith(3, 1_000)
  const clock = new FakeClock()
  const ended = new AbortController()
  let asked = 0
  const done = backfill({ engine, clock, signal: ended.signal, loadHistory: async () => { asked++ } })
  ended.abort()
  await pass(clock)
  await done
  t.equal(asked, 0)
})
