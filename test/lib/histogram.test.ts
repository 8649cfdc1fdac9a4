import t from 'tap'
import { Histogram } from '../../src/lib/histogram.ts'

t.test('a value is counted in the first bucket whose bound is not below it', async t => {
  const histogram = new Histogram([1, 2, 4])
  for (const value of [0, 1, 1.5, 2, 4, 4.1, 100]) histogram.observe(value)
  t.strictSame(histogram.counts, [2, 2, 1, 2])
  t.equal(histogram.count, 7)
  t.equal(histogram.sum, 112.6)
})
