import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { runServer, startServer } from './helpers/process.ts'
import { request } from './helpers/request.ts'

const lineOf = async (environment: Record<string, string>): Promise<{ code: number | null, text: string }> => {
  const child = runServer(environment)
  let text = ''
  child.stderr?.on('data', chunk => { text += String(chunk) })
  child.stdout?.resume()
  const [code] = await once(child, 'exit') as [number | null]
  return { code, text: text.trim() }
}

t.test('a bad variable ends the process with one line that names it', async t => {
  const { code, text } = await lineOf({ PORT: 'eighty', DATA_DIR: t.testdir() })
  t.equal(code, 1)
  t.match(text, /^Configuration: PORT must be integer[^\n]*$/)
})

t.test('a DATA_DIR or port in use is refused in one line, and the first server continues', async t => {
  const folder = t.testdir({ first: {}, other: {} })
  const dataDir = join(folder, 'first')
  const first = await startServer({ DATA_DIR: dataDir })
  const [second, third] = await Promise.all([lineOf({ DATA_DIR: dataDir }), lineOf({ DATA_DIR: join(folder, 'other'), PORT: new URL(first.url).port })])
  t.equal(second.code, 1)
  t.match(second.text, /^Tidelog cannot start: [^\n]+$/)
  t.match(second.text, dataDir)
  t.equal(third.code, 1)
  t.match(third.text, /^Tidelog cannot start: [^\n]*EADDRINUSE[^\n]*$/)
  t.equal((await request(`${first.url}/health/ready`)).status, 200)
  t.equal(await first.end('SIGTERM'), 0)
})
