import t from 'tap'
import { fewTimes, latestMs, packTimes, readTimes, seqAfter } from '../../src/search/times.ts'

const times = Array.from({ length: 1_000 }, (_, at): [number, number] => [5 + at, 1_000 * Math.floor(at / 3)])
const lastMs = times.at(-1)![1]
const few = fewTimes(times, 16)

t.test('the times of all the newest messages are stored, and of some older ones', async t => {
  t.match(few.seqs.slice(-32), times.slice(-32).map(([seq]) => seq))
  t.ok(few.seqs.every((seq, at) => at === 0 || seq - few.seqs[at - 1]! <= 16))
  t.ok(few.seqs.length < 150, `${few.seqs.length} of 1000`)
  t.equal(few.seqs[0], 5)
})

t.test('no message is taken for older than it is, nor for earlier than the time at which it was sent', async t => {
  for (const [seq, ms] of times) {
    if (latestMs({ times: few, lastMs }, seq) < ms) t.fail(`seq ${seq} was sent at ${ms}`)
    if (seqAfter(few, ms) <= seq) t.fail(`seq ${seq} was sent at or before ${ms}`)
  }
})

t.test('times are the same after they were stored', async t => {
  t.strictSame(readTimes(packTimes(few)), few)
})

t.test('a segment that lost its messages has no times', async t => {
  t.strictSame(fewTimes([], 16), { seqs: [], ms: [] })
})
