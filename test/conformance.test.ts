import { MongoClient } from 'mongodb'
import t from 'tap'
import { runConformance } from '../conformance/run.ts'
import { textOf } from '../conformance/report.ts'
import { freePort } from './helpers/free-port.ts'
import { type ServerProcess, startServer } from './helpers/process.ts'

type Suite = Pick<typeof t, 'teardown' | 'comment' | 'equal' | 'not'>

/** Attacks a server that is killed with -9 again and again, and expects every promise to hold. */
async function attack (t: Suite, environment: Record<string, string>, scenes: boolean): Promise<void> {
  const fixed = { ...environment, PORT: String(await freePort()), JWT_SECRET: 'a secret for the conformance test', LOG_LEVEL: 'info' }
  let server: ServerProcess = await startServer(fixed)
  t.teardown(() => server.end('SIGKILL'))
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const reports = await runConformance({
    urls: [server.url],
    control: {
      kill: async () => { await server.end('SIGKILL') },
      start: async () => { server = await startServer(fixed) }
    },
    durationMs: 6_000,
    killEveryMs: 2_000,
    scenes,
    seed
  })
  t.comment(`seed ${seed}\n${textOf(reports)}`)
  for (const { promise, verdict, findings } of reports) {
    const evidence = `${promise}: ${findings.map(({ what }) => what).slice(0, 3).join('; ')}`
    if (scenes || !promise.startsWith('§')) t.equal(verdict, 'held', evidence)
    else t.not(verdict, 'broken', evidence)
  }
}

t.test('the embedded engine keeps every promise when it is killed with -9 under load', async t => {
  // The scenes are played by test/conformance/.
  await attack(t, { DATA_DIR: t.testdir() }, false)
})

const { MONGODB_URL } = process.env
t.test('MONGODB_URL keeps every promise when the server is killed with -9 under load', { skip: MONGODB_URL === undefined && 'MONGODB_URL is not set' }, async t => {
  const database = `tidelog_conformance_${Date.now().toString(36)}`
  t.teardown(async () => {
    const client = await MongoClient.connect(MONGODB_URL!)
    await client.db(database).dropDatabase()
    await client.close()
  })
  await attack(t, { DATA_DIR: t.testdir(), MONGODB_URL: MONGODB_URL!, MONGODB_DATABASE: database }, true)
})
