import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import ajvFormats from 'ajv-formats'
import t from 'tap'
import { clientEvents, serverEvents } from '../../src/schemas/events.ts'
import { eventHandlers } from '../../src/sockets/handlers.ts'
import { startApp } from '../helpers/app.ts'

t.test('the served documents', async t => {
  const { app, call, register } = await startApp(t)

  t.test('the AsyncAPI document is valid and names every event of both directions once', async t => {
    const { status, body } = await call('GET', '/documentation/asyncapi.json')
    t.equal(status, 200)
    const schema = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object
    const validate = ajvFormats.default(new Ajv({ strict: false, allErrors: true, logger: false })).compile(schema)
    t.ok(validate(body), JSON.stringify(validate.errors?.slice(0, 3)))
    const operations = Object.values(body.operations as Record<string, { action: string, messages: Array<{ $ref: string }> }>)
    const names = (action: string) => operations.filter(operation => operation.action === action)
      .map(({ messages }) => body.channels.socket.messages[messages[0]!.$ref.split('/').at(-1)!].name as string).sort()
    t.strictSame(names('receive'), Object.keys(clientEvents).sort())
    t.strictSame(names('send'), Object.keys(serverEvents).sort())
  })

  t.test('patterns in both documents use only what every JSON Schema tool can read', async t => {
    const patterns = (value: unknown): string[] => typeof value !== 'object' || value === null
      ? []
      : Object.entries(value).flatMap(([key, entry]) => key === 'pattern' && typeof entry === 'string' ? [entry] : patterns(entry))
    for (const path of ['/documentation/json', '/documentation/asyncapi.json']) {
      const found = [...new Set(patterns((await call('GET', path)).body))]
      t.ok(found.length > 2, path)
      // Groups that look around or refer back, classes of Unicode, escapes of one dialect only.
      t.same(found.filter(pattern => /\(\?|\\[^d.\\"/[\](){}^$|?*+-]/.test(pattern)), [], path)
      for (const pattern of found) t.equal(new RegExp(pattern).source, new RegExp(pattern, 'u').source)
    }
  })

  t.test('our bodies refuse unknown fields, and bodies of legacy clients do not', async t => {
    const { body } = await call('GET', '/documentation/json')
    const objects = (schema: { type?: string, anyOf?: object[] }): object[] => schema.anyOf !== undefined ? schema.anyOf.flatMap(objects) : schema.type === 'object' ? [schema] : []
    for (const [path, methods] of Object.entries(body.paths as Record<string, Record<string, { requestBody?: { content: Record<string, { schema: object }> } }>>)) {
      for (const [method, { requestBody }] of Object.entries(methods)) {
        const found = Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => objects(schema))
        for (const schema of found) t.equal((schema as { additionalProperties?: boolean }).additionalProperties, path.endsWith('/sync-conversation') ? undefined : false, `${method} ${path}`)
      }
    }
    const seeds = ['setupUser', 'sendDirectMessage', 'joinCommonChat', 'leaveCommonChat', 'sendCommonChatMessage', 'joinRoom', 'leaveRoom', 'sendRoomMessage']
    for (const [event, { input }] of Object.entries(clientEvents)) {
      t.equal((input as { additionalProperties?: boolean }).additionalProperties, seeds.includes(event) ? undefined : false, event)
    }
  })

  t.test('links from answers lead to existing operations with those parameters', async t => {
    type Operation = { parameters?: Array<{ name: string, in: string }>, responses: Record<string, { links?: Record<string, { operationRef: string, parameters?: Record<string, string> }> }> }
    const { body } = await call('GET', '/documentation/json')
    const at = (pointer: string): unknown => pointer.slice(2).split('/')
      .reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], body)
    const { token } = await register('linker')
    const links: Record<string, string[]> = {}
    for (const [path, methods] of Object.entries(body.paths as Record<string, Record<string, Operation>>)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        for (const [status, answer] of Object.entries(responses)) {
          for (const { operationRef, parameters = {} } of Object.values(answer.links ?? {})) {
            const target = at(operationRef) as Operation | undefined
            t.same((target?.parameters ?? []).filter(one => one.in === 'path').map(({ name }) => name).sort(), Object.keys(parameters).sort(), `${path} ${operationRef}`)
            t.not(target, undefined)
            ;(links[`${method} ${path} ${status}`] ??= []).push(operationRef)
          }
        }
      }
    }
    t.match(links, {
      'post /api/auth/login 200': ['#/paths/~1api~1auth~1me/get'],
      'post /api/auth/register 201': ['#/paths/~1api~1auth~1me/get'],
      'post /api/messages/ 201': ['#/paths/~1api~1messages~1{id}/put', '#/paths/~1api~1messages~1{id}/delete'],
      'post /api/messages/ 200': ['#/paths/~1api~1messages~1{id}/put', '#/paths/~1api~1messages~1{id}/delete']
    })
    // Their expressions find something in what is answered.
    const valuesOf = async (path: string, key: string, status: number, given: object): Promise<void> => {
      const answer = await call('POST', path, { token, body: given })
      t.equal(answer.status, status)
      for (const { parameters = {} } of Object.values((at(`#/paths/${key}/post/responses/${status}`) as Operation['responses'][string]).links ?? {})) {
        for (const expression of Object.values(parameters).filter(value => value.startsWith('$'))) {
          const value = expression.replace('$response.body#/', '').split('/').reduce((part, step) => part?.[step], answer.body)
          t.match(value, /^[0-9a-f]{24}$/, expression)
        }
      }
    }
    const { id: other } = await register('linked')
    await valuesOf('/api/messages', '~1api~1messages~1', 201, { receiverId: other, content: 'hello' })
    await valuesOf('/api/rooms', '~1api~1rooms', 201, { name: 'a room' })
    await valuesOf('/api/common-chat/message', '~1api~1common-chat~1message', 201, { content: 'hello' })
  })

  t.test('every client event has a handler, and every handler an event', async t => {
    t.strictSame(Object.keys(eventHandlers).sort(), Object.keys(clientEvents).sort())
  })

  t.test('every route of the product is in the OpenAPI document', async t => {
    const { body } = await call('GET', '/documentation/json')
    const documented = new Set(Object.entries(body.paths as Record<string, object>)
      .flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`)))
    const served = app.printRoutes({ commonPrefix: false }).split('\n')
    t.ok(served.length > 20)
    for (const route of ['POST /api/messages/sync-conversation', 'GET /api/messages/sync-status', 'POST /api/auth/login', 'GET /health/ready']) t.ok(documented.has(route), route)
  })
})
