import t from 'tap'
import { TabCalls } from '../../src/engine/tab-calls.ts'
import type { TabMessage } from '../../src/engine/tabs.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

t.test('a tab that becomes the leader does at once what it had asked of the old leader', async t => {
  const told: TabMessage[] = []
  const calls = new TabCalls(new FakeClock(), message => { told.push(message) })
  const [read, failed] = [calls.ask('loadHistory', ['room_x', 50, 10]), calls.ask('sync', [])]
  t.match(told, [{ type: 'call', method: 'loadHistory' }, { type: 'call', method: 'sync' }])
  const done: unknown[] = []
  calls.takeOver(async (method, given) => {
    done.push([method, given])
    if (method === 'sync') throw new Error('no connection')
    return 'read'
  })
  t.equal(await read, 'read')
  await t.rejects(failed, { message: 'no connection' })
  t.same(done, [['loadHistory', ['room_x', 50, 10]], ['sync', []]])
  calls.takeOver(async () => { t.fail('what is settled is not done again') })
})

t.test('what was asked of a tab that ended is asked of the next one, and what is settled is not', async t => {
  const told: TabMessage[] = []
  const calls = new TabCalls(new FakeClock(), message => { told.push(message) })
  const [first, second] = [calls.ask('sync', []), calls.ask('hurry', [])]
  calls.hear({ type: 'answer', to: 'here', call: 2 }, 'here')
  await second
  calls.again()
  t.same(told[2], told[0])
  t.equal(told.length, 3)
  calls.hear({ type: 'answer', to: 'here', call: 1 }, 'here')
  await first
})
