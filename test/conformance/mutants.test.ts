import t from 'tap'
import { checks } from '../../conformance/checks/index.ts'
import { type Scene, scenes } from '../../conformance/scenes/index.ts'
import { startApp } from '../helpers/app.ts'
import { planted } from './mutants.ts'
import { environment, play } from './play.ts'

/** Mutants that are looked at together: most of their time is waiting. */
const atOnce = 6

t.test('every planted bug is found', { timeout: 110_000 }, async t => {
  const app = await startApp(t, environment)
  const left = [...planted]
  const look = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [under, what, scene, words, mutant] = next
      // The rest of a scene that has found it says nothing more.
      const onFinding = (finding: { what: string }) => { if (words.test(finding.what)) throw new Error('found') }
      const { findings } = checks.get(under)!(await play(t, app, mutant, { only: [[sectionOf(scene), scene]], patienceMs: 1_500, onFinding }))
      t.ok(findings.some(finding => words.test(finding.what)), `${what}: ${findings.map(finding => finding.what.slice(0, 100)).slice(0, 5).join('; ')}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, look))
})

const sectionOf = (scene: Scene) => scenes.find(([, one]) => one === scene)![0]
