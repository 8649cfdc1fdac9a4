import t from 'tap'
import { ObjectId } from 'mongodb'
import { checks } from '../../conformance/checks/index.ts'
import { History } from '../../conformance/history.ts'
import type { Person } from '../../conformance/people.ts'
import { sections } from '../../conformance/report.ts'
import { Rest } from '../../conformance/rest.ts'
import { type RoundOptions, type Scene, playScenes, scenes } from '../../conformance/scenes/index.ts'
import { expiry } from '../../conformance/scenes/tokens.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { hs256 } from '../helpers/tokens.ts'
import { planted } from './mutants.ts'
import { type Mutant, startProxy } from './proxy.ts'

/** Mutants that are looked at together: most of their time is waiting. */
const atOnce = 6

const secret = 'a secret for the scenes'
const environment = { JWT_SECRET: secret, RATE_LIMIT_REGISTER: '0', RATE_LIMIT_SENDS: '2000', PRESENCE_GRACE: '1' }
let count = 0

/** Four users of a host application: their passwords need no hashing. */
async function fourPeople ({ app }: TestApp): Promise<Person[]> {
  const rows = Array.from({ length: 4 }, (_, index) => ({ _id: new ObjectId(), fullName: `Somebody ${index}`, username: `somebody-${count}-${index}`, email: `somebody-${count}-${index}@example.org` }))
  await app.mongo.db!.collection('users').insertMany(rows)
  return rows.map(({ _id, username }) => ({ id: _id.toHexString(), token: hs256({ id: _id.toHexString() }, secret), name: username }))
}

/** Plays a scene, or all, against a server that is wrong in the way of the mutant. */
async function play (t: { teardown: (end: () => Promise<void>) => void }, test: TestApp, mutant: Mutant, options: Pick<RoundOptions, 'patienceMs' | 'only' | 'onFinding'>): Promise<History> {
  const history = new History()
  const rest = new Rest(await startProxy(t, test.url, mutant), history)
  const run = `m${++count}`
  await playScenes({ history, rest, everybody: await fourPeople(test), common: false, run, registers: true, ...options })
  return history
}

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
