import { setTimeout as delay } from 'node:timers/promises'
import type { Ending, Message } from '../history.ts'
import type { Person } from '../people.ts'
import { isTransient } from '../rest.ts'
import { type Stage, type Target, devicesOf } from '../stage.ts'

interface Result {
  opId: string
  success: boolean
  code?: string
  duplicate?: boolean
  message?: Message
  rev?: number
}

interface Operation extends Record<string, unknown> {
  opId: string
  type: string
}

const noId = 'f'.repeat(24)
let connections = 0

/**
 * Offline outboxes: several operations in one call over REST, socket, or both at once, repeated until there is an
 * answer.
 */
export async function pushOutboxes (stage: Stage): Promise<void> {
  const random = stage.random.fork()
  for (let number = 1; !stage.ending.aborted; number++) {
    await delay(random.integer(100, 250))
    const person = random.pick(stage.members)
    const target = random.pick(stage.targets.get(person.id)!)
    const operations = outbox(stage, target, `${stage.run}-${person.name}-outbox-${number}`)
    const ways = random.pick([[byRest], [bySocket], [byRest, bySocket], [byRest, byRest]])
    const startedAt = Date.now()
    const answers = await Promise.all(ways.map(async way => await insist(stage, async () => await way(stage, person, operations))))
    if (stage.history.absent.has('push')) return
    for (const results of answers) if (results !== null) note(stage, person, target, operations, results, startedAt, ways.length === 1)
  }
}

/** Two messages, an edit of the first, two operations on a missing message, another message, and a read. */
function outbox ({ random }: Stage, { conversationId, names }: Target, name: string): Operation[] {
  const address = Object.keys(names).length > 0 && random.chance(0.5) ? names : { conversationId }
  const send = (opId: string) => ({ opId, type: 'send', ...address, content: `${name} ${opId}.`, clientMessageId: `${name}-${opId}` })
  return [
    send('a'),
    send('b'),
    { opId: 'edit', type: 'edit', conversationId, clientMessageId: `${name}-a`, content: `${name} a, edited.` },
    { opId: 'lost', type: 'edit', messageId: noId, content: 'of nothing' },
    { opId: 'after', type: 'delete', messageId: noId },
    send('c'),
    ...(conversationId === 'common_chat' ? [] : [{ opId: 'read', type: 'markRead', conversationId, seq: 1 }])
  ]
}

async function byRest (stage: Stage, { token }: Person, operations: readonly Operation[]): Promise<Result[] | null | undefined> {
  const answer = await stage.random.pick(stage.nodes).call('POST', '/api/sync/push', token, { operations })
  if (answer?.status === 404) {
    stage.history.absent.add('push')
    return null
  }
  if (isTransient(answer)) return undefined
  if (Array.isArray(answer!.body.results)) return answer!.body.results as Result[]
  stage.history.faults.push({ at: Date.now(), what: `POST /api/sync/push was answered ${answer!.status} ${answer!.code}` })
  return null
}

async function bySocket (stage: Stage, person: Person, operations: readonly Operation[]): Promise<Result[] | null | undefined> {
  const device = devicesOf(stage, person).find(({ connected }) => connected)
  const ack = await device?.ask('push', { operations }).ack as { success: boolean, code?: string, results?: Result[] } | undefined
  if (ack?.results !== undefined) return ack.results
  // A server that does not know the event answers with an error that says so.
  return ack?.code === 'VALIDATION' ? null : undefined
}

async function insist<T> (stage: Stage, once: () => Promise<T | undefined>): Promise<T | null> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const answer = await once()
    if (answer !== undefined) return answer
    await delay(200)
  }
  stage.history.faults.push({ at: Date.now(), what: 'an outbox was not answered within two minutes' })
  return null
}

/** @param alone no copy of this call was running, so its result proves the order */
function note (stage: Stage, person: Person, { conversationId }: Target, operations: readonly Operation[], results: readonly Result[], startedAt: number, alone: boolean): void {
  const { history } = stage
  const at = Date.now()
  const fault = (what: string) => { history.faults.push({ at, what: `push of ${operations.length} operations: ${what}` }) }
  if (results.map(({ opId }) => opId).join() !== operations.map(({ opId }) => opId).join()) return fault(`results of ${results.map(({ opId }) => opId).join(', ')}`)
  const connection = `push/${++connections}`
  for (const [index, result] of results.entries()) {
    const { type, opId, clientMessageId, content } = operations[index]!
    if (opId === 'lost' || opId === 'after') {
      if (result.success) fault(`${type} of a message that is not there was a success`)
      continue
    }
    if (!result.success && result.code !== 'RATE_LIMITED' && result.code !== 'UNAVAILABLE' && result.code !== 'OVERLOADED') fault(`${opId} was refused: ${String(result.code)}`)
    if (!result.success) continue
    if (type !== 'markRead' && result.message === undefined) fault(`${opId} was answered without the message`)
    const { message } = result
    if (message === undefined) continue
    history.see('acknowledged over push', message, at)
    if (type === 'edit') {
      history.changes.push({ messageId: message._id, conversationId, userId: person.id, type: 'edit', content: String(content), startedAt, ending: { kind: 'done', at, rev: message.rev } })
      continue
    }
    const ending: Ending = { kind: 'stored', at, messageId: message._id, seq: message.seq, rev: message.rev, duplicate: result.duplicate === true }
    history.attempts.push({
      senderId: person.id, conversationId, clientMessageId: String(clientMessageId), content: String(content), via: 'push', connection, place: index, startedAt, first: alone, ending
    })
  }
}
