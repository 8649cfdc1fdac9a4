/**
 * MongoDB's own tests of drivers, run against the engine by a runner that lies beside this repository. Not a line of
 * it is needed to use the engine; MONGODB_SPEC_RUNNER names it where it lies elsewhere.
 */
import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { SERVER_VERSION } from '../../src/commands/handshake.ts'
import { temporaryFolder } from '../helpers/engine.ts'
import { withFailPoints } from '../helpers/fail-points.ts'
import { REFUSALS } from './refusals.ts'

const SUITES = ['crud', 'collection-management', 'index-management', 'transactions', 'transactions-convenient-api', 'retryable-writes', 'sessions']
/** A test that would need longer waits for something that never comes. */
const TEST_MS = 5_000
/** How soon a driver looks again after an error; tests wait for that hundreds of times. */
const HEARTBEAT_MS = 50

const runner = process.env.MONGODB_SPEC_RUNNER ?? fileURLToPath(new URL('../../../../../shared/tools/mongodb-spec-runner.mjs', import.meta.url))

type Result = { name: string, status: 'passed' | 'failed' | 'skipped', why: string }
type Report = { perSuite: Record<string, Partial<Record<Result['status'], number>>>, results: Result[] }

async function runSuites (uri: string, out: string): Promise<Report> {
  const child = spawn(process.execPath, [runner, '--suites', SUITES.join(), '--out', out], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, MONGODB_URL: uri, SPEC_SERVER_VERSION: SERVER_VERSION, SPEC_TEST_MS: String(TEST_MS) },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  await once(child, 'exit')
  return JSON.parse(readFileSync(out, 'utf8')) as Report
}

const refusedBy = (name: string) => REFUSALS.filter(({ tests }) => tests.some(test => test.test(name)))

const options = { skip: !existsSync(runner) && `no runner at ${runner}` }

t.test('each of MongoDB\'s tests passes, or is listed as a refusal with its reason', options, async t => {
  const folder = temporaryFolder(t)
  const engine = await startEmbeddedMongo({ inMemory: true })
  t.teardown(async () => { await engine.stop() })
  const { perSuite, results } = await runSuites(`${await withFailPoints(t, engine.uri)}&minHeartbeatFrequencyMS=${HEARTBEAT_MS}`, join(folder, 'report.json'))
  const applied = results.filter(({ status }) => status !== 'skipped')
  t.ok(applied.length > 300, 'the suites were found and run')

  const failed = applied.filter(({ status }) => status === 'failed')
  t.same(failed.filter(({ name }) => refusedBy(name).length === 0), [], 'no failure that is not listed')
  t.same(failed.filter(({ name }) => refusedBy(name).length > 1).map(({ name }) => name), [], 'each listed once')
  t.same(applied.filter(({ name, status }) => status === 'passed' && refusedBy(name).length > 0).map(({ name }) => name), [], 'nothing listed that passes')
  for (const { reason, tests } of REFUSALS) {
    for (const test of tests) t.ok(failed.some(({ name }) => test.test(name)), `${reason}: ${test.source} names a test`)
  }
  t.comment('| suite | pass | refused | skipped |')
  for (const suite of SUITES) {
    const { passed = 0, failed = 0, skipped = 0 } = perSuite[suite] ?? {}
    t.ok(passed + failed + skipped > 0, `${suite} was found`)
    t.comment(`| ${suite} | ${passed} | ${failed} | ${skipped} |`)
  }
  for (const { reason, tests } of REFUSALS) t.comment(`${failed.filter(({ name }) => tests.some(test => test.test(name))).length} refused: ${reason}`)
})
