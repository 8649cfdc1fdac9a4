import t from 'tap'
import { checks } from '../../conformance/checks/index.ts'
import { limits } from '../../conformance/scenes/limits.ts'
import { startApp } from '../helpers/app.ts'
import { lookForPlanted } from './look.ts'
import { environment, play } from './play.ts'

// A slow machine does not reach a high limit in its ten seconds.
const app = await startApp(t, { ...environment, RATE_LIMIT_SENDS: '200' })

t.test('the limits hold through a proxy that changes nothing', async t => {
  const history = await play(t, app, {}, { only: [['limits', limits]], patienceMs: 20_000 })
  for (const [key, check] of checks) t.strictSame(check(history).findings, [], String(key))
  t.strictSame(history.unexercised, [])
})

t.test('every planted bug is found: limits', async t => {
  await lookForPlanted(t, 'limits', app)
})
