import t, { type Test } from 'tap'
import { checks } from '../../conformance/checks/index.ts'
import { History } from '../../conformance/history.ts'
import { people } from '../../conformance/people.ts'
import { Rest } from '../../conformance/rest.ts'
import { abuse } from '../../conformance/scenes/abuse.ts'
import { playScenes } from '../../conformance/scenes/index.ts'
import { startServer } from '../helpers/process.ts'

/** Plays the scene against a server in a process of its own, whose loop is not the attackers'. */
async function attack (t: Test, environment: Record<string, string>) {
  const server = await startServer({ DATA_DIR: t.testdir(), LOG_LEVEL: 'info', ...environment })
  t.teardown(() => server.end('SIGKILL'))
  const history = new History()
  const rest = new Rest(server.url, history)
  const run = `a${Date.now().toString(36)}`
  await playScenes({ history, rest, everybody: await people(rest, 4, run, []), common: false, run, registers: true, only: [['abuse', abuse]] })
  return checks.get('abuse')!(history)
}

/** How long who is honest waits says more of a busy machine than of the server: `npm run conformance` looks at it. */
const isOfTime = ({ what }: { what: string }) => what.includes('waits at most')

t.test('attackers are stopped, and honest users are refused nothing', async t => {
  // A slow machine does not reach high limits in the time of the attack.
  const { findings, looked } = await attack(t, { RATE_LIMIT_PACKETS: '2000', RATE_LIMIT_REQUESTS: '1000', RATE_LIMIT_HANDSHAKES: '100' })
  t.comment(findings.filter(isOfTime).map(({ what }) => what).join())
  t.strictSame(findings.filter(finding => !isOfTime(finding)), [])
  t.ok(looked >= 5)
})

t.test('a server without limits is detected', async t => {
  const { findings } = await attack(t, { RATE_LIMIT_PACKETS: '0', RATE_LIMIT_REQUESTS: '0', RATE_LIMIT_SENDS: '0' })
  t.ok(findings.some(({ what }) => /a flood by polling is refused/.test(what)), findings.map(({ what }) => what.slice(0, 100)).join('; '))
})
