import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { join } from 'node:path'
import t from 'tap'
import { root, startServer } from '../helpers/process.ts'

interface Ended { code: number, stdout: string, stderr: string }

/** Runs scripts/doctor.ts with an environment, as `npm run doctor` does. */
async function doctor (environment: Record<string, string>, ...args: string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--conditions=@tidelog/source', 'scripts/doctor.ts', ...args], {
      cwd: root, env: { PATH: process.env['PATH'] ?? '', ...environment }
    })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as Ended
    return { code, stdout, stderr }
  }
}

t.test('the doctor says that a folder is held, examines it afterwards, and gives it a new epoch', async t => {
  const environment = { DATA_DIR: t.testdir() }
  const server = await startServer(environment)
  const held = await doctor(environment)
  await server.end('SIGTERM')
  t.equal(held.code, 2)
  t.match(held.stderr, /^the data folder .* is in use by process \d+.*Stop the server first.*\n$/)
  t.match(await doctor(environment), { code: 0, stdout: '0 conversations, 0 rows, 0 defects, 0 left\n', stderr: '' })
  t.match(await doctor(environment, 'bump-epoch'), { code: 0, stdout: /new epoch/, stderr: '' })
})

t.test('what the doctor cannot do is one line', async t => {
  const folder = join(t.testdir(), 'nothing-here')
  t.match(await doctor({ DATA_DIR: folder }), { code: 2, stderr: /^The database cannot be examined: there is no folder .*nothing-here.*\n$/ })
  t.match(await doctor({ DATA_DIR: folder }, 'repair-everything'), { code: 2, stderr: /npm run doctor/ })
  t.match(await doctor({ DATA_DIR: folder, MONGODB_URL: 'http://nowhere' }), { code: 2, stderr: /^Configuration: MONGODB_URL/ })
})
