import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, isTransient } from '../rest.ts'
import type { Person } from '../people.ts'
import { type Stage, devicesOf } from '../stage.ts'

/**
 * The owner of a private room adds and removes a guest while writing to it. A stranger looks for the room meanwhile.
 */
export async function changeMembers (stage: Stage): Promise<void> {
  const [owner, guest] = stage.members as [Person, Person]
  const made = await ask(stage, owner, 'POST', '/api/rooms', { name: `Conformance ${stage.run}`, isPrivate: true })
  const roomId: unknown = made.body.room?._id ?? made.body.room?.roomId ?? made.body.roomId
  if (made.status >= 400 || typeof roomId !== 'string') return notThere(stage)
  const conversationId = `room_${roomId}`
  const inside = new Set([owner.id])
  stage.history.members.set(conversationId, new Set([owner.id, guest.id]))
  for (let round = 0; round < 6 && !stage.ending.aborted; round++) {
    const invited = await ask(stage, owner, 'PUT', `/api/rooms/${roomId}/members/${guest.id}`, { role: 'member' })
    if (invited.status >= 400) return notThere(stage)
    inside.add(guest.id)
    const device = devicesOf(stage, guest).find(({ connected }) => connected)
    await device?.ask('joinRoom', roomId).ack
    await write(stage, owner, roomId, 3)
    await probe(stage, guest, roomId, 'allowed', 'of a member')
    const removed = await ask(stage, owner, 'DELETE', `/api/rooms/${roomId}/members/${guest.id}`)
    if (removed.status >= 400) return notThere(stage)
    const first = await write(stage, owner, roomId, 1)
    const last = await write(stage, owner, roomId, 3)
    // Revs between the removal and the next invitation. Only the owner knows the first of them.
    if (first > 0 && last > first) stage.history.removals.push({ userId: guest.id, conversationId, rev: first - 1, untilRev: last + 1 })
    await probe(stage, guest, roomId, 'hidden', 'after the removal')
    await probe(stage, stage.stranger, roomId, 'hidden', 'of a stranger')
    await delay(100)
  }
}

/** Without this feature there is nothing to attack. */
function notThere ({ history }: Stage): void {
  history.absent.add('members')
}

async function ask (stage: Stage, { token }: Person, method: string, path: string, body?: unknown): Promise<Answer> {
  for (;;) {
    const answer = await stage.nodes[0]!.call(method, path, token, body)
    if (answer !== undefined && !isTransient(answer)) return answer
    await delay(200)
  }
}

/** Writes messages. @returns the rev of the last one */
async function write (stage: Stage, person: Person, roomId: string, count: number): Promise<number> {
  let rev = 0
  for (let number = 0; number < count; number++) {
    const answer = await ask(stage, person, 'POST', `/api/rooms/${roomId}/messages`, { content: `in private ${number}` })
    rev = Number(answer.body.rev ?? 0)
  }
  return rev
}

async function probe (stage: Stage, person: Person, roomId: string, expected: 'hidden' | 'allowed', who: string): Promise<void> {
  const { status, code } = await ask(stage, person, 'GET', `/api/rooms/${roomId}/messages`)
  const nothing = await ask(stage, person, 'GET', `/api/rooms/${'f'.repeat(24)}/messages`)
  stage.history.probes.push({ what: `GET /api/rooms/:roomId/messages of a private room ${who}`, expected, status, code, ofNothing: { status: nothing.status, code: nothing.code } })
}
