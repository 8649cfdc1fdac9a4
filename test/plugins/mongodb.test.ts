import t from 'tap'
import { startApp } from '../helpers/app.ts'

t.test('a machine that is slow to open the embedded database is waited for', async t => {
  const { app } = await startApp(t)
  t.equal(app.initialConfig.pluginTimeout, 0, 'without a limit of Fastify\'s')
  t.ok(app.mongo.client.options.serverSelectionTimeoutMS >= 60_000)
})
