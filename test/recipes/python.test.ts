import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { runProgram } from '../helpers/programs.ts'
import { unpack } from '../helpers/recipes.ts'

const environment = { PYTHONPATH: process.env['PYTHONPATH'] ?? '' }
const { status } = spawnSync('python3', ['-c', 'import socketio, requests'])
const skip = status === 0 ? false : 'python3 with python-socketio[client] is not installed'

const folder = unpack(t, 'recipes/python.md')

t.test('the Python client syncs what it missed, follows live, and answers', { skip }, async t => {
  const { url, call, register } = await startApp(t)
  const ada = await register('ada')
  const bob = await register('bob')
  const say = async (content: string) => {
    const answer = await call('POST', '/api/messages', { token: bob.token, body: { receiverId: ada.id, content } })
    return answer.body.message._id as string
  }
  await say('missed')
  const program = runProgram('python3', [join(folder, 'follow.py')], {
    environment: { ...environment, SERVER: url, NAME: 'ada', PASSWORD: 'password-1' }
  })
  t.teardown(() => program.kill())
  await program.sees('live')
  const id = await say('seen live')
  await program.sees('2: seen live')
  await call('DELETE', `/api/messages/${id}`, { token: bob.token })
  await program.sees('2: (deleted)')
  await say('!ping')
  await program.sees('4: pong')
  t.strictSame(program.lines, ['1: missed', 'live', '2: seen live', '2: (deleted)', '3: !ping', '4: pong'])
})
