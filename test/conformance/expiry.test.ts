import t from 'tap'
import { checks } from '../../conformance/checks/index.ts'
import { expiry } from '../../conformance/scenes/tokens.ts'
import { startApp } from '../helpers/app.ts'
import { environment, play } from './play.ts'

const app = await startApp(t, { ...environment, ACCESS_TOKEN_TTL: '5' })

t.test('the kit tests the expiry of tokens if they are short-lived', async t => {
  const history = await play(t, app, {}, { only: [['tokens', expiry]], patienceMs: 20_000 })
  t.strictSame(history.unexercised, [])
  t.strictSame(checks.get('tokens')!(history).findings, [])
  t.ok(history.observations.length > 4)
})

t.test('a socket that outlives its token is detected', async t => {
  const history = await play(t, app, { keepsSockets: true }, { only: [['tokens', expiry]], patienceMs: 500 })
  t.ok(checks.get('tokens')!(history).findings.some(({ what }) => what.includes('a socket ends with its token')))
})
