import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import t from 'tap'
import { buildApp } from '../../app.ts'
import { readConfig } from '../../src/config.ts'

interface Operation { responses: Record<string, { content?: Record<string, { schema: object }> }> }

t.test('the schema of every answer can be compiled, though a start compiles none', async t => {
  const app = await buildApp(readConfig({ PORT: '0', DATA_DIR: t.testdir(), LOG_LEVEL: 'silent' }))
  t.teardown(() => app.close())
  await app.ready()
  const compile = SerializerSelector()()
  let count = 0
  for (const [url, operations] of Object.entries(app.swagger().paths as Record<string, Record<string, Operation>>)) {
    for (const [method, { responses }] of Object.entries(operations)) {
      for (const [httpStatus, { content }] of Object.entries(responses)) {
        const schema = content?.['application/json']?.schema
        if (schema === undefined) continue
        t.doesNotThrow(() => compile({ method, url, httpStatus, schema }), `${method} ${url} ${httpStatus}`)
        count++
      }
    }
  }
  t.ok(count > 100, `${count} schemas`)
})
