import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startApp } from './helpers/app.ts'
import { root } from './helpers/process.ts'
import { type Step, parseExamples, peopleOf, substitute } from './helpers/examples.ts'
import { type TestSocket, connect } from './helpers/sockets.ts'

/**
 * Replays the worked examples of docs/PROTOCOL.md against a real server, each on a database of its own.
 *   > ada POST /api/messages {…}          a request of ada's, or `> ada emit editMessage {…}` on her socket
 *   < 201 {…}   < ack {…}                 what it answers: at least these fields
 *   < bob event directMessage {…}         what bob's socket gets, in order
 * `"=name"` takes a value for later, `$name` puts it in; `$ada` is ada's id. Everybody who is named is registered.
 */
const examples = parseExamples(readFileSync(join(root, 'docs', 'PROTOCOL.md'), 'utf8'))

t.ok(examples.length >= 5, 'there are worked examples')

for (const example of examples) {
  const { title, steps } = example
  t.test(`worked example: ${title}`, async t => {
    const { call, register, url } = await startApp(t)
    const values = new Map<string, string>()
    const tokens = new Map<string, string>()
    const sockets = new Map<string, TestSocket>()
    const seen = new Set<unknown>()
    for (const name of peopleOf(example)) {
      const { token, id } = await register(name)
      tokens.set(name, token)
      values.set(name, id)
    }
    for (const name of new Set(steps.flatMap(step => step.kind === 'emit' || step.kind === 'event' ? [step.who] : []))) {
      sockets.set(name, await connect(t, url, tokens.get(name)))
    }
    let answer: unknown
    for (const step of steps) answer = await play(step, answer)

    async function play (step: Step, last: unknown): Promise<unknown> {
      switch (step.kind) {
        case 'call': {
          const body = step.body === undefined ? {} : { body: substitute(step.body, values) }
          return await call(step.method, substitute(step.path, values) as string, { token: tokens.get(step.who), ...body })
        }
        case 'emit': return await sockets.get(step.who)!.ask(step.event, substitute(step.body ?? {}, values))
        case 'answer': {
          if (step.status !== undefined) t.equal((last as { status: number }).status, step.status, step.line)
          holds(t, step.status === undefined ? last : (last as { body: unknown }).body, step.body, values, step.line)
          return last
        }
        case 'event': {
          const payload: unknown = await sockets.get(step.who)!.wait(step.event, found => !seen.has(found))
          seen.add(payload)
          holds(t, payload, step.body, values, step.line)
          return last
        }
      }
    }
  })
}

/** At least these fields, lists of the same length; `"=name"` matches anything and keeps it. */
function holds (t: Pick<Test, 'ok' | 'equal'>, actual: unknown, expected: unknown, values: Map<string, string>, line: string): void {
  if (typeof expected === 'string' && expected.startsWith('=')) {
    t.ok(actual !== undefined && actual !== null, line)
    values.set(expected.slice(1), String(actual))
  } else if (Array.isArray(expected)) {
    t.equal((actual as unknown[]).length, expected.length, line)
    expected.forEach((item, index) => { holds(t, (actual as unknown[])[index], item, values, line) })
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected)) {
      holds(t, (actual as Record<string, unknown> | undefined)?.[substitute(key, values) as string], value, values, line)
    }
  } else t.equal(actual, substitute(expected, values), line)
}
