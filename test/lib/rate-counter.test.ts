import t from 'tap'
import { RateCounter } from '../../src/lib/rate-counter.ts'

t.test('each key has its own window, which begins with its first count', async t => {
  let now = 1_000
  const counter = new RateCounter(2, 100, () => now)
  t.equal(counter.add('ann'), 1)
  now = 1_050
  t.equal(counter.add('bob'), 1)
  t.equal(counter.add('ann', 3), 4)
  t.equal(counter.waitMs('ann'), 50)
  now = 1_100
  t.equal(counter.countOf('ann'), 0)
  t.equal(counter.countOf('bob'), 1)
  t.equal(counter.add('ann'), 1)
  t.equal(counter.waitMs('ann'), 100)
})

t.test('keys whose window has ended are forgotten', async t => {
  let now = 0
  const counter = new RateCounter(1, 100, () => now)
  for (let key = 0; key < 1_000; key++) counter.add(String(key))
  t.equal(counter.size, 1_000)
  now = 200
  counter.add('last')
  t.equal(counter.size, 1)
})

t.test('a maximum of 0 counts nothing', async t => {
  const counter = new RateCounter(0, 100)
  t.equal(counter.add('ann'), 0)
  t.equal(counter.size, 0)
})
