import t from 'tap'
import { BatchedReader } from '../../src/lib/batched-reader.ts'

/** A read that is answered when the test says so. */
class Slow {
  readonly calls: Array<{ keys: number[], answer: () => void, fail: (error: Error) => void }> = []
  private readonly whenCalled: Array<() => void> = []

  readonly read = (keys: number[]): Promise<Map<number, string>> => new Promise((resolve, reject) => {
    this.calls.push({ keys, answer: () => { resolve(new Map(keys.filter(key => key >= 0).map(key => [key, `v${key}`]))) }, fail: reject })
    for (const wake of this.whenCalled.splice(0)) wake()
  })

  async called (times: number): Promise<void> {
    while (this.calls.length < times) await new Promise<void>(resolve => { this.whenCalled.push(resolve) })
  }
}

t.test('reads of one turn share a batch, and a key is read once', async t => {
  const slow = new Slow()
  const reader = new BatchedReader(slow.read)
  const values = Promise.all([reader.get(1), reader.get(2), reader.get(1), reader.get(-1)])
  await slow.called(1)
  t.same(slow.calls[0]!.keys, [1, 2, -1])
  slow.calls[0]!.answer()
  t.same(await values, ['v1', 'v2', 'v1', undefined])
})

t.test('a read never joins a batch that started before it', async t => {
  const slow = new Slow()
  const reader = new BatchedReader(slow.read)
  const first = reader.get(1)
  await slow.called(1)
  const second = reader.get(1)
  await slow.called(2)
  slow.calls[1]!.answer()
  t.equal(await second, 'v1')
  slow.calls[0]!.answer()
  t.equal(await first, 'v1')
})

t.test('keys that do not fit a batch wait, in order', async t => {
  const slow = new Slow()
  const reader = new BatchedReader(slow.read, { keysMax: 2, concurrencyMax: 1 })
  const values = Promise.all([1, 2, 3, 4, 5].map(key => reader.get(key)))
  for (let batch = 1; batch <= 3; batch++) {
    await slow.called(batch)
    slow.calls[batch - 1]!.answer()
  }
  t.same(slow.calls.map(({ keys }) => keys), [[1, 2], [3, 4], [5]])
  t.same(await values, ['v1', 'v2', 'v3', 'v4', 'v5'])
})

t.test('a failed read fails for its callers only, and the next read is a new one', async t => {
  const slow = new Slow()
  const reader = new BatchedReader(slow.read, { concurrencyMax: 1 })
  const [first, second] = [reader.get(1), reader.get(2)]
  const failures = Promise.all([t.rejects(first, { message: 'away' }), t.rejects(second, { message: 'away' })])
  await slow.called(1)
  slow.calls[0]!.fail(new Error('away'))
  await failures
  const again = reader.get(1)
  await slow.called(2)
  slow.calls[1]!.answer()
  t.equal(await again, 'v1')
})
