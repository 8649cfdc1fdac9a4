import { join } from 'node:path'
import t from 'tap'
import { startServer } from '../helpers/process.ts'
import { runExample } from '../helpers/programs.ts'

t.test('two people chat in terminals that stop and start, as does the server', async t => {
  const files = t.testdir({ ada: '', grace: '', data: {} })
  const environment = { DATA_DIR: join(files, 'data') }
  let server = await startServer(environment)
  t.teardown(() => server.end('SIGKILL'))
  const port = new URL(server.url).port
  const sit = (me: string, other: string) => {
    const environment = { SERVER: `http://127.0.0.1:${port}`, FILE: join(files, me) }
    const program = runExample('examples/terminal-chat.mjs', [me, other], environment)
    t.teardown(() => program.kill())
    return program
  }
  const grace = sit('grace', 'ada')
  await grace.sees('(live)')
  let ada = sit('ada', 'grace')
  await ada.sees('(live)')
  ada.type('good morning')
  await grace.sees('ada: good morning')
  grace.type('good evening')
  await ada.sees('grace: good evening')

  await server.end('SIGKILL')
  await ada.sees('(offline)')
  ada.type('are you there?')
  await ada.sees('ada: are you there? (waits)')
  await ada.kill()
  ada = sit('ada', 'grace')
  await ada.sees('grace: good evening')
  await ada.sees('ada: are you there? (waits)')
  ada.type('I wait')
  await ada.sees('ada: I wait (waits)')

  server = await startServer({ ...environment, PORT: port })
  await grace.sees('ada: I wait')
  await ada.sees('ada: I wait')
  const heard = grace.lines.filter(line => line.startsWith('ada: '))
  t.strictSame(heard, ['ada: good morning', 'ada: are you there?', 'ada: I wait'])
  await Promise.all([ada.leave(), grace.leave()])
})
