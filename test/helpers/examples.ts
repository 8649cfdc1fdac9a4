/** A line of a worked example. */
export type Step = { line: string } & (
  | { kind: 'call', who: string, method: string, path: string, body?: unknown }
  | { kind: 'emit', who: string, event: string, body?: unknown }
  | { kind: 'answer', status?: number, body: unknown }
  | { kind: 'event', who: string, event: string, body: unknown }
)

export interface Example {
  title: string
  steps: Step[]
}

/** The ```example blocks of a document, each with the last heading or bold line before it as its title. */
export function parseExamples (markdown: string): Example[] {
  return [...markdown.matchAll(/```example (.+)\n([\s\S]*?)```/g)].map(([, title, text]) => ({
    title: title!, steps: text!.split('\n').filter(line => /^[<>]/.test(line)).map(parseStep)
  }))
}

function parseStep (line: string): Step {
  const call = /^> (\w+) (GET|POST|PUT|PATCH|DELETE) (\S+)(?: (.+))?$/.exec(line)
  if (call !== null) return { line, kind: 'call', who: call[1]!, method: call[2]!, path: call[3]!, ...json(call[4]) }
  const emit = /^> (\w+) emit (\w+)(?: (.+))?$/.exec(line)
  if (emit !== null) return { line, kind: 'emit', who: emit[1]!, event: emit[2]!, ...json(emit[3]) }
  const event = /^< (\w+) event (\w+) (.+)$/.exec(line)
  if (event !== null) return { line, kind: 'event', who: event[1]!, event: event[2]!, body: JSON.parse(event[3]!) as unknown }
  const answer = /^< (?:(\d{3})|ack) (.+)$/.exec(line)
  if (answer !== null) return { line, kind: 'answer', ...(answer[1] === undefined ? {} : { status: Number(answer[1]) }), body: JSON.parse(answer[2]!) as unknown }
  throw new Error(`No line of an example: ${line}`)
}

/** Everybody who acts in an example, gets an event, or is named without a value from a response. */
export function peopleOf ({ steps }: Example): string[] {
  const actors = steps.flatMap(step => step.kind === 'answer' ? [] : [step.who])
  const text = steps.map(step => step.line).join('\n')
  const taken = new Set([...text.matchAll(/"=(\w+)"/g)].map(([, name]) => name))
  const named = [...text.matchAll(/\$(\w+)/g)].flatMap(([, name]) => taken.has(name) ? [] : [name!])
  return [...new Set([...actors, ...named])]
}

const json = (text: string | undefined) => text === undefined ? {} : { body: JSON.parse(text) as unknown }

/** Replaces `$name` in texts and keys with the values that earlier responses gave. */
export function substitute (template: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof template === 'string') {
    return template.replace(/\$(\w+)/g, (_, name: string) => {
      const value = values.get(name)
      if (value === undefined) throw new Error(`$${name} has no value yet`)
      return value
    })
  }
  if (Array.isArray(template)) return template.map(item => substitute(item, values))
  if (typeof template !== 'object' || template === null) return template
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [substitute(key, values) as string, substitute(value, values)]))
}
