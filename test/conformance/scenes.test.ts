import t from 'tap'
import { checks } from '../../conformance/checks/index.ts'
import { type SectionName, sections } from '../../conformance/report.ts'
import { scenes } from '../../conformance/scenes/index.ts'
import { startApp } from '../helpers/app.ts'
import { environment, fewAtOnce, play } from './play.ts'

/** Those of these sections are played by scenes-junk.test.ts, limits.test.ts and abuse.test.ts. */
const elsewhere: ReadonlySet<SectionName> = new Set(['junk', 'limits', 'abuse'])

t.test('every scene holds through a proxy that changes nothing', async t => {
  const app = await startApp(t, environment)
  const seen = new Set<string>()
  await fewAtOnce(scenes.filter(([section]) => !elsewhere.has(section)), async one => {
    const history = await play(t, app, {}, { only: [one], patienceMs: 20_000 })
    for (const [key, check] of checks) t.strictSame(check(history).findings, [], `${one[1].name}: ${key}`)
    for (const { under } of history.observations) seen.add(String(under))
  }, 3)
  for (const section of Object.keys(sections) as SectionName[]) t.ok(elsewhere.has(section) || seen.has(section), section)
})
