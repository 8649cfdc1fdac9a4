import t from 'tap'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryFolder } from './helpers/engine.ts'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('..', import.meta.url))
const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: Record<string, string> }
const launcher = join(folder, bin['embedded-mongo']!)

t.test('the command that npm links runs even before a build', async t => {
  const { stdout } = await run(process.execPath, [launcher, '--help'])
  t.match(stdout, /^usage: embedded-mongo --data DIR/)
})

t.test('without a build and a compiler the command says what to do', async t => {
  const elsewhere = join(temporaryFolder(t), 'bin')
  mkdirSync(elsewhere)
  copyFileSync(launcher, join(elsewhere, 'embedded-mongo.mjs'))
  await t.rejects(run(process.execPath, [join(elsewhere, 'embedded-mongo.mjs')]), { code: 1, stderr: /nothing is built: run "npm run build"/ })
})
