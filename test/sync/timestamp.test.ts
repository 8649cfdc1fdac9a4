import t from 'tap'
import { parseTimestamp, refuseFuture } from '../../src/sync/legacy/timestamp.ts'

const now = Date.UTC(2026, 0, 1)
const refusal = (time: Date | undefined, latest?: Date | null) => {
  try {
    refuseFuture('lastChecked', time, now, latest)
    return undefined
  } catch (error) {
    return (error as { code: string, message: string })
  }
}

t.test('a time more than a minute ahead of the server is refused by the name of its field', async t => {
  for (const text of ['2569-01-01T00:00:00.000Z', String(now + 60_001)]) t.match(refusal(parseTimestamp('lastChecked', text)), { code: 'VALIDATION', message: /^lastChecked is in the future/ })
  t.match(refusal(parseTimestamp('lastChecked', now * 1_000)), { code: 'VALIDATION' }, 'microseconds')
  for (const time of [undefined, new Date(now), new Date(now + 60_000), new Date(0)]) t.equal(refusal(time), undefined)
})

t.test('a time that the server itself assigned is accepted, however far it is ahead of the clock', async t => {
  const latest = new Date(now + 3_600_000)
  t.equal(refusal(latest, latest), undefined)
  t.match(refusal(new Date(latest.getTime() + 60_001), latest), { code: 'VALIDATION' })
  t.equal(refusal(new Date(now), null), undefined)
})

t.test('a text of microseconds is not a time', async t => {
  t.throws(() => parseTimestamp('lastChecked', String(now * 1_000)), { code: 'VALIDATION' })
})
