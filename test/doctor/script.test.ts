import { join } from 'node:path'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { runScript, startServer } from '../helpers/process.ts'

const doctor = (environment: Record<string, string>, ...args: string[]) => runScript('doctor.ts', environment, ...args)

t.test('the doctor says that a folder is in use, examines it once it is free, and gives it a new epoch', async t => {
  const environment = { DATA_DIR: t.testdir() }
  const server = await startServer(environment)
  const held = await doctor(environment)
  await server.end('SIGTERM')
  t.equal(held.code, 2)
  t.match(held.stderr, /^the data folder .* is in use by process \d+.*Stop the server first.*\n$/)
  t.match(await doctor(environment), { code: 0, stdout: '0 conversations, 0 rows, 0 defects, 0 left\n', stderr: '' })
  const json = await doctor(environment, '--json')
  t.strictSame(JSON.parse(json.stdout), { result: 'sound', conversations: 0, rows: 0, defects: 0, left: 0 })
  t.match(await doctor(environment, 'bump-epoch'), { code: 0, stdout: /new epoch/, stderr: '' })
})

t.test('each failure is reported in one line', async t => {
  const folder = join(t.testdir(), 'nothing-here')
  t.match(await doctor({ DATA_DIR: folder }), { code: 2, stderr: /^The database cannot be examined: there is no folder .*nothing-here.*\n$/ })
  t.match(await doctor({ DATA_DIR: folder }, 'repair-everything'), { code: 2, stderr: /npm run doctor/ })
  t.match(await doctor({ DATA_DIR: folder, MONGODB_URL: 'http://nowhere' }), { code: 2, stderr: /^Configuration: MONGODB_URL/ })
})

t.test('with --json each defect is a line, and the last line is the result', async t => {
  const environment = { DATA_DIR: t.testdir() }
  const server = await startServer(environment)
  await server.end('SIGTERM')
  const engine = await startEmbeddedMongo({ dataDir: environment.DATA_DIR })
  const client = await MongoClient.connect(engine.uri)
  await client.db('tidelog').collection<{ _id: string }>('conversations').insertOne({
    ...{ kind: 'room', headRev: 0, headSeq: 0, clock: new Date(), memberCount: 3, createdAt: new Date() }, _id: 'room_x'
  })
  await client.close()
  await engine.stop()
  const { code, stdout } = await doctor(environment, '--json')
  t.equal(code, 1)
  const lines = stdout.trim().split('\n').map(line => JSON.parse(line) as Record<string, unknown>)
  t.match(lines[0], { defect: 'MEMBER_COUNT', conversationId: 'room_x', text: String, detail: String, repaired: false })
  t.match(lines.at(-1), { result: 'defects', conversations: 1, defects: 1, left: 1 })
  const repaired = await doctor(environment, '--json', '--repair')
  t.equal(repaired.code, 0)
  t.match(JSON.parse(repaired.stdout.trim().split('\n')[0]!), { defect: 'MEMBER_COUNT', repaired: true })
})
