import t from 'tap'
import { checks } from '../../conformance/checks/index.ts'
import { sections } from '../../conformance/report.ts'
import { expiry } from '../../conformance/scenes/tokens.ts'
import { startApp } from '../helpers/app.ts'
import { environment, play } from './play.ts'

t.test('every scene holds through a proxy that changes nothing', { timeout: 110_000 }, async t => {
  const history = await play(t, await startApp(t, environment), {}, { patienceMs: 10_000 })
  for (const [key, check] of checks) t.strictSame(check(history).findings, [], String(key))
  const seen = new Set(history.observations.map(({ under }) => under))
  for (const section of Object.keys(sections)) t.ok(seen.has(section as keyof typeof sections), section)
})

t.test('the end of a token is followed where tokens are short', async t => {
  const history = await play(t, await startApp(t, { ...environment, ACCESS_TOKEN_TTL: '2' }), {}, { only: [['tokens', expiry]], patienceMs: 5_000 })
  t.strictSame(history.unexercised, [])
  t.strictSame(checks.get('tokens')!(history).findings, [])
  t.ok(history.observations.length > 4)
})

t.test('a socket that outlives its token is found', async t => {
  const history = await play(t, await startApp(t, { ...environment, ACCESS_TOKEN_TTL: '2' }), { keepsSockets: true }, { only: [['tokens', expiry]], patienceMs: 500 })
  t.ok(checks.get('tokens')!(history).findings.some(({ what }) => what.includes('a socket ends with its token')))
})
