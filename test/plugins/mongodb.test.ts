import t from 'tap'
import { startApp } from '../helpers/app.ts'

t.test('the server waits for an embedded database that opens slowly', async t => {
  const { app } = await startApp(t)
  t.equal(app.initialConfig.pluginTimeout, 0, 'without a limit of Fastify\'s')
  t.ok(app.mongo.client.options.serverSelectionTimeoutMS >= 60_000)
})
