import { setTimeout as delay } from 'node:timers/promises'
import { directId } from '../people.ts'
import { type Answer, isTransient } from '../rest.ts'
import { type Stage, devicesOf } from '../stage.ts'
import type { Letterbox } from './writers.ts'

const noId = 'f'.repeat(24)

/**
 * A user who is in no conversation tries every address. Each answer is compared with the answer for a missing object.
 */
export async function trespass (stage: Stage, box: Letterbox): Promise<void> {
  while (box.stored.length < 5 && !stage.ending.aborted) await delay(100)
  const direct = box.stored.find(({ conversationId }) => conversationId.startsWith('dm_'))
  if (direct === undefined) return
  await overRest(stage, direct.messageId)
  await overSocket(stage, direct.messageId, direct.conversationId)
  await withForeignCursors(stage)
  await withOperators(stage)
}

/** Repeats the call until there is an answer: the server may be down for a moment. */
async function ask (stage: Stage, method: string, path: string, token: string, body?: unknown): Promise<Answer> {
  for (;;) {
    const answer = await stage.nodes[0]!.call(method, path, token, body)
    if (answer !== undefined && !isTransient(answer)) return answer
    await delay(200)
  }
}

async function overRest (stage: Stage, messageId: string): Promise<void> {
  const { token } = stage.stranger
  const tries: Array<[string, (id: string) => string, unknown?]> = [
    ['PUT', id => `/api/messages/${id}`, { content: 'not mine' }],
    ['DELETE', id => `/api/messages/${id}`],
    ['PATCH', id => `/api/messages/${id}/read`],
    ['PUT', id => `/api/messages/${id}/reactions/${encodeURIComponent('👍')}`]
  ]
  for (const [method, path, body] of tries) {
    const { status, code } = await ask(stage, method, path(messageId), token, body)
    const { status: ofStatus, code: ofCode } = await ask(stage, method, path(noId), token, body)
    stage.history.probes.push({ what: `${method} ${path(':id')} of somebody else's direct message`, expected: 'hidden', status, code, ofNothing: { status: ofStatus, code: ofCode } })
  }
}

async function overSocket (stage: Stage, messageId: string, conversationId: string): Promise<void> {
  const tries: Array<[string, unknown, unknown]> = [
    ['editMessage', { messageId, content: 'not mine' }, { messageId: noId, content: 'not mine' }],
    ['deleteMessage', { messageId }, { messageId: noId }],
    ['markRead', { conversationId, seq: 1 }, { conversationId: directId(noId, 'e'.repeat(24)), seq: 1 }]
  ]
  for (const [event, real, nothing] of tries) {
    const answer = await askSocket(stage, event, real)
    const ofNothing = await askSocket(stage, event, nothing)
    if (answer === undefined || ofNothing === undefined) continue
    stage.history.probes.push({ what: `${event} of somebody else's direct conversation`, expected: 'hidden', ...answer, ofNothing })
  }
}

async function askSocket (stage: Stage, event: string, data: unknown): Promise<{ status: number, code: string } | undefined> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const device = devicesOf(stage, stage.stranger).find(({ connected }) => connected)
    const ack = await device?.ask(event, data).ack
    if (ack !== undefined) return { status: ack.success ? 200 : ack.code === 'INTERNAL' ? 500 : 404, code: ack.code ?? '' }
    await delay(200)
  }
  return undefined
}

async function withForeignCursors (stage: Stage): Promise<void> {
  const { stranger, members: [ada, bob, cid] } = stage
  const own = await ask(stage, 'POST', '/api/messages/sync-conversation', ada!.token, { otherUserId: bob!.id, limit: 1 })
  const { cursor } = own.body as { cursor: string }
  const tries: Array<[string, string, string]> = [
    ['a cursor of somebody else', stranger.token, bob!.id],
    ['a cursor of another conversation', ada!.token, cid!.id]
  ]
  for (const [what, token, otherUserId] of tries) {
    const { status, code } = await ask(stage, 'POST', '/api/messages/sync-conversation', token, { otherUserId, cursor })
    stage.history.probes.push({ what: `sync-conversation with ${what}`, expected: 'refused', status, code })
  }
  const allowed = await ask(stage, 'POST', '/api/messages/sync-conversation', ada!.token, { otherUserId: bob!.id, cursor })
  stage.history.probes.push({ what: 'sync-conversation with the own cursor', expected: 'allowed', status: allowed.status, code: allowed.code })
  if (stage.history.absent.has('sync')) return
  const foreign = await ask(stage, 'POST', '/api/sync', stranger.token, { cursors: { [directId(ada!.id, bob!.id)]: cursor } })
  if (foreign.status === 404) stage.history.absent.add('sync')
  else if (foreign.status !== 200) stage.history.probes.push({ what: 'POST /api/sync with a cursor of somebody else', expected: 'refused', status: foreign.status, code: foreign.code })
  else if (JSON.stringify(foreign.body).includes(directId(ada!.id, bob!.id))) stage.history.faults.push({ at: Date.now(), what: 'POST /api/sync with a cursor of somebody else told of their conversation' })
}

/** Sends query operators instead of text. They must be refused, or taken as text. */
async function withOperators (stage: Stage): Promise<void> {
  const { members: [ada, bob], stranger } = stage
  const content = 'operators'
  const bodies: Array<[string, string, unknown]> = [
    ['POST', '/api/messages', { receiverId: { $ne: null }, content }],
    ['POST', '/api/messages', { receiverId: bob!.id, content: { $gt: '' } }],
    ['POST', '/api/messages', { receiverId: bob!.id, content, clientMessageId: { $exists: true } }],
    ['POST', '/api/messages/sync-conversation', { otherUserId: { $gt: '' } }],
    ['POST', '/api/messages/sync-conversation', { otherUserId: bob!.id, cursor: { $gt: '' } }],
    ['POST', '/api/messages/sync-conversation', { otherUserId: bob!.id, lastSyncTimestamp: { $gt: 0 } }],
    ['POST', '/api/auth/login', { username: { $gt: '' }, password: { $gt: '' } }]
  ]
  for (const [method, path, body] of bodies) {
    const { status, code } = await ask(stage, method, path, ada!.token, body)
    stage.history.probes.push({ what: `${method} ${path} with an operator: ${JSON.stringify(body)}`, expected: 'refused', status, code })
  }
  for (const event of ['sendDirectMessage', 'editMessage', 'deleteMessage', 'markRead', 'joinRoom']) {
    const answer = await askSocket(stage, event, { receiverId: { $ne: null }, messageId: { $ne: null }, conversationId: { $ne: null }, seq: 1, content })
    if (answer !== undefined) stage.history.probes.push({ what: `${event} with operators`, expected: 'refused', ...answer })
  }
  const search = await ask(stage, 'GET', '/api/messages/search?q=.*', stranger.token)
  if (search.status === 200 && (search.body.messages as unknown[] | undefined ?? []).length > 0) stage.history.faults.push({ at: Date.now(), what: 'GET /api/messages/search?q=.* found messages for somebody who has none' })
}
