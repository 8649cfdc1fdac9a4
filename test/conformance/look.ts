import type { Test } from 'tap'
import { checks } from '../../conformance/checks/index.ts'
import { type SectionName, sections } from '../../conformance/report.ts'
import { type Scene, scenes } from '../../conformance/scenes/index.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { planted } from './mutants.ts'
import { environment, fewAtOnce, play } from './play.ts'

const sectionOf = (scene: Scene) => scenes.find(([, one]) => one === scene)![0]

/** The sections in parts, each of which is looked at by a file of its own, so that none takes long. */
const named = {
  people: ['tokens', 'documents', 'typing', 'presence', 'messages', 'blocks'],
  rooms: ['rooms', 'views', 'reads', 'people', 'conversations'],
  limits: ['limits']
} satisfies Record<string, SectionName[]>
const partOf: Record<keyof typeof named | 'rest', SectionName[]> = {
  ...named, rest: (Object.keys(sections) as SectionName[]).filter(name => !Object.values<SectionName[]>(named).flat().includes(name))
}

/** Plays the scenes of a part against each server that is wrong in what they look at, and expects it to be found. */
export async function lookForPlanted (t: Test, part: keyof typeof partOf, started?: TestApp): Promise<void> {
  const app = started ?? await startApp(t, environment)
  const ours = partOf[part]
  await fewAtOnce(planted.filter(([, , scene]) => ours.includes(sectionOf(scene))), async ([under, what, scene, words, mutant]) => {
    // The rest of a scene that has found it says nothing more.
    const onFinding = (finding: { what: string }) => { if (words.test(finding.what)) throw new Error('found') }
    const { findings } = checks.get(under)!(await play(t, app, mutant, { only: [[sectionOf(scene), scene]], patienceMs: 1_500, onFinding }))
    t.ok(findings.some(finding => words.test(finding.what)), `${what}: ${findings.map(finding => finding.what.slice(0, 100)).slice(0, 5).join('; ')}`)
  })
}
