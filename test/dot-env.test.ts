import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadDotEnv } from '../src/dot-env.ts'

t.test('.env is read with and without a byte order mark, and the environment overrides it', async t => {
  const file = join(t.testdir(), '.env')
  for (const mark of ['', '\uFEFF']) {
    writeFileSync(file, `${mark}PORT=80\nHOST="::1" # a comment\nLOG_LEVEL=debug\n`)
    const environment: Record<string, string> = { LOG_LEVEL: 'warn' }
    loadDotEnv(file, environment)
    t.strictSame(environment, { PORT: '80', HOST: '::1', LOG_LEVEL: 'warn' })
  }
})

t.test('a missing .env is no failure, and one in UTF-16 is refused with advice', async t => {
  const environment: Record<string, string> = {}
  loadDotEnv(join(t.testdir(), '.env'), environment)
  t.strictSame(environment, {})
  const file = join(t.testdir(), '.env')
  for (const text of [Buffer.from('\uFEFFPORT=80\n', 'utf16le'), Buffer.from('\uFEFFPORT=80\n', 'utf16le').swap16()]) {
    writeFileSync(file, text)
    t.throws(() => { loadDotEnv(file, environment) }, /save it as UTF-8/)
  }
})
