import { setTimeout as delay } from 'node:timers/promises'
import type { Ack } from '../device.ts'
import type { Change, Message } from '../history.ts'
import { type Stage, devicesOf } from '../stage.ts'
import type { Letterbox } from './writers.ts'

/** Edits, deletes, reacts and reads, over socket and REST in turn. */
export async function change (stage: Stage, box: Letterbox): Promise<void> {
  // A message that is deleted, or whose change has an unknown outcome, is not changed again. So its final state is
  // certain.
  const closed = new Set<string>()
  await Promise.all([...Array.from({ length: changersCount }, () => changer(stage, box, closed)), reader(stage, box)])
}

/** Changes that run at the same time. */
const changersCount = 3

interface Done {
  answer: Ack | undefined
  connection: string
}

/** @param closed messages that must not be changed: for good, or because another changer is using them */
async function changer (stage: Stage, box: Letterbox, closed: Set<string>): Promise<void> {
  const random = stage.random.fork()
  for (let number = 1; !stage.ending.aborted; number++) {
    await delay(30)
    const open = box.stored.slice(-60).filter(({ messageId }) => !closed.has(messageId))
    if (open.length === 0) continue
    const { letter: { person }, messageId, conversationId } = random.pick(open)
    closed.add(messageId)
    const type = random.chance(0.25) ? 'delete' : 'edit'
    const content = type === 'edit' ? `edited ${number} ${'y'.repeat(random.integer(0, 40))}.` : ''
    const startedAt = Date.now()
    const devices = devicesOf(stage, person).filter(device => device.connected)
    const answer = random.chance(0.5) && devices.length > 0
      ? await random.pick(devices).ask(type === 'edit' ? 'editMessage' : 'deleteMessage', { messageId, ...(type === 'edit' ? { content } : {}) }).ack
      : await overRest(stage, type === 'edit' ? 'PUT' : 'DELETE', `/api/messages/${messageId}`, person.token, type === 'edit' ? { content } : undefined)
    const at = Date.now()
    if (answer?.message?._id !== undefined) stage.history.see(`acknowledged by ${type}`, answer.message, at)
    const ending: Change['ending'] = answer === undefined
      ? { kind: 'unknown', at }
      : answer.success ? { kind: 'done', at, rev: answer.rev ?? answer.message?.rev ?? 0 } : { kind: 'refused', at, code: answer.code ?? '' }
    stage.history.changes.push({ messageId, conversationId, userId: person.id, type, content, startedAt, ending })
    if (random.chance(0.2)) await react(stage, person.token, messageId)
    if (ending.kind !== 'unknown' && (type === 'edit' || ending.kind === 'refused')) closed.delete(messageId)
  }
}

async function react (stage: Stage, token: string, messageId: string): Promise<void> {
  if (stage.history.absent.has('reactions')) return
  const answer = await stage.random.pick(stage.nodes).call(stage.random.chance(0.7) ? 'PUT' : 'DELETE', `/api/messages/${messageId}/reactions/${encodeURIComponent('👍')}`, token)
  // The message exists, so the route is missing.
  if (answer?.status === 404 && answer.body.message?._id === undefined && answer.code !== 'NOT_FOUND') stage.history.absent.add('reactions')
  if (answer?.body.message?._id !== undefined) stage.history.see('acknowledged by react', answer.body.message as Message, Date.now())
}

async function reader (stage: Stage, box: Letterbox): Promise<void> {
  const random = stage.random.fork()
  while (!stage.ending.aborted) {
    await delay(80)
    if (box.stored.length === 0) continue
    const { conversationId, seq } = random.pick(box.stored.slice(-40))
    const readers = stage.members.filter(({ id }) => stage.history.members.get(conversationId)?.has(id) === true)
    if (readers.length === 0) continue
    const person = random.pick(readers)
    const devices = devicesOf(stage, person).filter(device => device.connected)
    if (devices.length === 0) continue
    const startedAt = Date.now()
    const asked = random.pick(devices).ask('markRead', { conversationId, seq })
    const { answer, connection }: Done = { answer: await asked.ack, connection: asked.connection }
    stage.history.reads.push({ conversationId, userId: person.id, seq, connection, startedAt, doneAt: answer?.success === true ? Date.now() : Infinity })
  }
}

async function overRest (stage: Stage, method: string, path: string, token: string, body: unknown): Promise<Ack | undefined> {
  const answer = await stage.random.pick(stage.nodes).call(method, path, token, body)
  return answer === undefined ? undefined : answer.body as Ack
}
