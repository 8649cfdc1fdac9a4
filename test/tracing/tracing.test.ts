import { trace } from '@opentelemetry/api'
import {
  InMemorySpanExporter, NodeTracerProvider, type ReadableSpan, SimpleSpanProcessor
} from '@opentelemetry/sdk-trace-node'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { connect } from '../helpers/sockets.ts'

const exporter = new InMemorySpanExporter()
const remote = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${remote}-b7ad6b7169203331-01`

/** The spans that ended since the last call. */
function spansSince (): ReadableSpan[] {
  const spans = exporter.getFinishedSpans()
  exporter.reset()
  return spans
}

/** The one span of this name. */
function only (spans: readonly ReadableSpan[], name: string): ReadableSpan {
  const found = spans.filter(span => span.name === name)
  const names = spans.map(span => span.name).join(', ')
  if (found.length !== 1) throw new Error(`${found.length} spans named ${name} of ${names}`)
  return found[0]!
}

t.test('without an SDK nothing is traced', async t => {
  const { app } = await startApp(t)
  t.equal(app.tracing, undefined)
})

t.test('with an SDK', async t => {
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
  t.teardown(() => { trace.disable() })
  const { app, url, call, register } = await startApp(t)
  const [ann, bob] = [await register('ann'), await register('bob')]

  t.test('a REST request, its commit and its delivery are one trace, begun by the caller', async t => {
    spansSince()
    const body = { receiverId: bob.id, content: 'one' }
    await call('POST', '/api/messages', { token: ann.token, body, headers: { traceparent } })
    await app.live.finish()
    const spans = spansSince()
    const request = only(spans, 'POST /api/messages')
    const [commit, deliver] = [only(spans, 'commit'), only(spans, 'deliver')]
    for (const span of [request, commit, deliver]) t.equal(span.spanContext().traceId, remote)
    t.equal(request.parentSpanContext?.spanId, 'b7ad6b7169203331')
    t.equal(commit.parentSpanContext?.spanId, request.spanContext().spanId)
    t.equal(deliver.parentSpanContext?.spanId, commit.spanContext().spanId)
    t.match(request.attributes, { 'http.route': '/api/messages', 'http.response.status_code': 201 })
    t.match(commit.attributes, { 'tidelog.outcome': 'committed' })
  })

  t.test('a socket event has its own trace, linked to that of the handshake', async t => {
    const socket = await connect(t, url, ann.token, { auth: { token: ann.token, traceparent } })
    spansSince()
    await socket.ask('sendDirectMessage', { receiverId: bob.id, content: 'two' })
    await app.live.finish()
    const spans = spansSince()
    const [event, commit] = [only(spans, 'socket sendDirectMessage'), only(spans, 'commit')]
    t.not(event.spanContext().traceId, remote)
    t.strictSame(event.links.map(({ context }) => context.traceId), [remote])
    t.equal(commit.parentSpanContext?.spanId, event.spanContext().spanId)
  })

  t.test('an invalid context begins a new trace, and nothing fails', async t => {
    const socket = await connect(t, url, ann.token, { auth: { token: ann.token, traceparent: ['x'], tracestate: 7 } })
    spansSince()
    t.match(await socket.ask('sendDirectMessage', { receiverId: bob.id, content: 'three' }), { success: true })
    t.strictSame(only(spansSince(), 'socket sendDirectMessage').links, [])
    const headers = { traceparent: 'nonsense' }
    t.match(await call('GET', '/api/auth/me', { token: ann.token, headers }), { status: 200 })
    t.equal(only(spansSince(), 'GET /api/auth/me').parentSpanContext, undefined)
  })

  t.test('a span has no content and no id of a user', async t => {
    const secret = 'not for the trace'
    await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: secret } })
    const text = JSON.stringify(spansSince().map(({ name, attributes }) => ({ name, attributes })))
    for (const hidden of [secret, ann.id, bob.id, ann.token]) t.notMatch(text, hidden)
  })
})
