import type { IncomingHttpHeaders } from 'node:http'
import {
  type Context, type Link, type ProxyTracerProvider, type Span, type SpanContext, type SpanOptions, type Tracer,
  ROOT_CONTEXT, SpanKind, SpanStatusCode, context, propagation, trace
} from '@opentelemetry/api'
import type { ChatSocket } from '../connection/socket-types.ts'
import type { LiveDelivery } from '../live/live-delivery.ts'
import type { CommittedBatch } from '../log/commit/committer.ts'
import type { CommitUnit, UnitOutcome } from '../log/commit/plan.ts'

const name = 'tidelog'

/**
 * The spans of a message's path: the request or socket event, its commit, and the delivery. Attributes name kinds and
 * outcomes, never contents.
 */
export class Tracing {
  private readonly tracer: Tracer
  /** The commits under way, by the ids of their rows in hex: a delivery belongs to the trace of its commit. */
  private readonly commits = new Map<string, SpanContext>()
  private readonly handshakes = new WeakMap<ChatSocket, Link[]>()

  /** Undefined: the process has no OpenTelemetry SDK. One that registers later is not seen. */
  static open (): Tracing | undefined {
    const provider = trace.getTracerProvider() as Partial<ProxyTracerProvider>
    const tracer = provider.getDelegateTracer === undefined ? trace.getTracer(name) : provider.getDelegateTracer(name)
    return tracer === undefined ? undefined : new Tracing(tracer)
  }

  private constructor (tracer: Tracer) {
    this.tracer = tracer
  }

  /** Begins the span of a REST request, in the trace that its headers name. */
  startRequest (method: string, route: string, headers: IncomingHttpHeaders): { span: Span, context: Context } {
    const parent = propagation.extract(ROOT_CONTEXT, headers)
    const attributes = { 'http.request.method': method, 'http.route': route }
    const span = this.tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent)
    return { span, context: trace.setSpan(parent, span) }
  }

  endRequest (span: Span, status: number): void {
    span.setAttribute('http.response.status_code', status)
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }

  /**
   * Runs a socket event in a span of its own. It links to the trace that the handshake named: one trace of a whole
   * connection would never end.
   */
  event<T> (socket: ChatSocket, event: string, run: () => Promise<T>): Promise<T> {
    const options = { kind: SpanKind.SERVER, links: this.linksOf(socket) }
    return this.inSpan(`socket ${event}`, options, ROOT_CONTEXT, run)
  }

  /** Follows a commit unit from its arrival to its outcome; the wait for the batch before it is part of that. */
  commit (unit: CommitUnit, run: () => Promise<UnitOutcome>): Promise<UnitOutcome> {
    const ids = unit.mutations.flatMap(mutation => {
      if (mutation.type === 'append') return mutation.row._id.toHexString()
      return mutation.type === 'revise' ? mutation.rowId.toHexString() : []
    })
    return this.inSpan('commit', {}, context.active(), async span => {
      for (const id of ids) this.commits.set(id, span.spanContext())
      try {
        const outcome = await run()
        span.setAttribute('tidelog.outcome', outcome.outcome)
        return outcome
      } finally {
        for (const id of ids) this.commits.delete(id)
      }
    })
  }

  /** Begins a span for each row that is delivered. @returns a function that ends them when all is written */
  deliver ({ rows, isRemote }: CommittedBatch): (live: LiveDelivery) => void {
    const spans = rows.flatMap(({ row }) => {
      const commit = isRemote === true ? undefined : this.commits.get(row._id.toHexString())
      if (commit === undefined) return []
      const options = { kind: SpanKind.PRODUCER, attributes: { 'tidelog.row': row.kind } }
      return this.tracer.startSpan('deliver', options, trace.setSpanContext(ROOT_CONTEXT, commit))
    })
    return live => {
      if (spans.length > 0) void live.finish().then(() => { for (const span of spans) span.end() })
    }
  }

  private linksOf (socket: ChatSocket): Link[] {
    const known = this.handshakes.get(socket)
    if (known !== undefined) return known
    const { auth, headers } = socket.handshake
    // A browser cannot set headers of a websocket, so the fields of `auth` count first.
    const { traceparent, tracestate } = { ...headers, ...auth } as Record<string, unknown>
    const given = Object.entries({ traceparent, tracestate })
    const carrier = Object.fromEntries(given.filter(([, value]) => typeof value === 'string'))
    const remote = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, carrier))
    const links = remote === undefined ? [] : [{ context: remote }]
    this.handshakes.set(socket, links)
    return links
  }

  private inSpan<T> (
    title: string, options: SpanOptions, parent: Context, run: (span: Span) => Promise<T>
  ): Promise<T> {
    const span = this.tracer.startSpan(title, options, parent)
    return context.with(trace.setSpan(parent, span), async () => {
      try {
        return await run(span)
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: (error as { code?: string }).code ?? 'INTERNAL' })
        throw error
      } finally {
        span.end()
      }
    })
  }
}

/** The ids of the trace that is under way, for a line of the log. */
export function traceIds (): { traceId?: string, spanId?: string } {
  const active = trace.getActiveSpan()?.spanContext()
  return active === undefined ? {} : { traceId: active.traceId, spanId: active.spanId }
}
