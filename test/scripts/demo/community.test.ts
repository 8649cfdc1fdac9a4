import { test } from 'tap'
import { voice } from '../../../scripts/demo/api.ts'
import { startOwnServer } from '../../../scripts/demo/own-server.ts'
import { talks } from '../../../scripts/demo/talk.ts'

test('the community of the demo has talked for some days, in order, and the clock is right afterwards', async t => {
  const some = talks.filter(talk => talk.room === 'Sensor firmware' || talk.with?.[0] === 'leila')
  const before = Date.now()
  const { app, url } = await startOwnServer({ DATA_DIR: t.testdir(), HOST: '127.0.0.1', PORT: '0' }, () => {}, some)
  t.teardown(() => app.close())
  t.ok(Date.now() >= before && Date.now() - before < 10 * 60_000)

  const mara = await voice(url, 'mara', 'Mara Lindqvist')
  const { conversations } = await mara.call('GET', '/api/conversations')
  t.equal(conversations.length, some.length)
  for (const { conversationId } of conversations) {
    const { messages } = await mara.call('GET', `/api/conversations/${conversationId}/messages?limit=100`)
    // Rooms and direct conversations have their times under different names.
    const times = messages.map(({ createdAt, timestamp }: { createdAt?: string, timestamp: string }) =>
      Date.parse(createdAt ?? timestamp))
    t.strictSame(times, times.toSorted((a: number, b: number) => a - b))
    t.ok(times[0] < before - 3 * 24 * 60 * 60_000)
    t.ok(times.at(-1) > before - 24 * 60 * 60_000 && times.at(-1) <= before)
  }
})
