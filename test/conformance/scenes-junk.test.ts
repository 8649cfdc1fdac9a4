import t from 'tap'
import { checks } from '../../conformance/checks/index.ts'
import { scenes } from '../../conformance/scenes/index.ts'
import { startApp } from '../helpers/app.ts'
import { environment, fewAtOnce, play } from './play.ts'

t.test('the scenes of junk hold through a proxy that changes nothing', async t => {
  const app = await startApp(t, environment)
  await fewAtOnce(scenes.filter(([section]) => section === 'junk'), async one => {
    const history = await play(t, app, {}, { only: [one], patienceMs: 5_000 })
    for (const [key, check] of checks) t.strictSame(check(history).findings, [], `${one[1].name}: ${key}`)
    t.ok(history.observations.length > 1_000)
  })
})
