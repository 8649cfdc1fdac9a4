import type { Device } from '../device.ts'
import type { Attempt, Ending, Message, Via } from '../history.ts'
import type { Person } from '../people.ts'
import { type Answer, type Rest } from '../rest.ts'
import type { Stage, Target } from '../stage.ts'

/** A message to send. It stays the same over all attempts. */
export interface Letter {
  person: Person
  target: Target
  clientMessageId: string
  content: string
}

/** Sends over a device's socket. */
export async function sendBySocket (stage: Stage, device: Device, letter: Letter, first = false): Promise<Attempt> {
  const startedAt = Date.now()
  const { target: { event, names }, content, clientMessageId } = letter
  const { place, connection, ack } = device.ask(event, { ...names, content, clientMessageId })
  const answer = await ack
  const at = Date.now()
  const ending: Ending = answer === undefined
    ? { kind: 'unknown', at }
    : answer.success && answer.message !== undefined ? stored(answer.message, answer.duplicate === true, at) : { kind: 'refused', at, code: answer.code ?? '' }
  return note(stage, letter, { via: 'socket', connection, place, startedAt, first, ending }, answer?.message)
}

/** Sends over REST. */
export async function sendByRest (stage: Stage, node: Rest, letter: Letter): Promise<Attempt> {
  const startedAt = Date.now()
  const { person, target: { path, names }, content, clientMessageId } = letter
  const answer = await node.call('POST', path, person.token, { ...(path === '/api/messages' ? names : {}), content, clientMessageId })
  const ending = endingOf(answer, answer?.body, node)
  return note(stage, letter, { via: 'rest', connection: '', place: 0, startedAt, first: false, ending }, answer?.body.message)
}

/** Sends an outbox of one operation. Null: the server has no push. */
export async function sendByPush (stage: Stage, node: Rest, letter: Letter): Promise<Attempt | null> {
  if (stage.history.absent.has('push')) return null
  const startedAt = Date.now()
  const { person, target: { conversationId, names }, content, clientMessageId } = letter
  const address = Object.keys(names).length > 0 ? names : { conversationId }
  const answer = await node.call('POST', '/api/sync/push', person.token, { operations: [{ opId: '1', type: 'send', ...address, content, clientMessageId }] })
  if (answer?.status === 404) {
    stage.history.absent.add('push')
    return null
  }
  const result = answer?.body.results?.[0] as Answer['body']
  const ending = endingOf(answer, result, node)
  return note(stage, letter, { via: 'push', connection: '', place: 0, startedAt, first: false, ending }, result?.message)
}

function endingOf (answer: Answer | undefined, body: Answer['body'], node: Rest): Ending {
  const at = Date.now()
  if (answer === undefined) return { kind: 'unknown', at }
  if (body?.success !== true) return { kind: 'refused', at, code: String(body?.code ?? answer.code) }
  if (typeof body.message?._id !== 'string') {
    node.fault(`a send was answered ${answer.status} without the message: ${JSON.stringify(body).slice(0, 200)}`)
    return { kind: 'unknown', at }
  }
  return stored(body.message as Message, body.duplicate === true, at)
}

function stored ({ _id: messageId, seq, rev }: Message, duplicate: boolean, at: number): Ending {
  return { kind: 'stored', at, messageId, seq, rev, duplicate }
}

function note ({ history }: Stage, { person, target, clientMessageId, content }: Letter, tried: Pick<Attempt, 'connection' | 'place' | 'startedAt' | 'first' | 'ending'> & { via: Via }, message: Message | undefined): Attempt {
  const attempt: Attempt = { senderId: person.id, conversationId: target.conversationId, clientMessageId, content, ...tried }
  history.attempts.push(attempt)
  if (attempt.ending.kind === 'stored' && message !== undefined) history.see(`acknowledged over ${attempt.via}`, message, attempt.ending.at)
  return attempt
}
