import { setTimeout as delay } from 'node:timers/promises'
import type { Device } from '../device.ts'
import type { Attempt } from '../history.ts'
import { type Stage, devicesOf } from '../stage.ts'
import { type Letter, sendByPush, sendByRest, sendBySocket } from './send.ts'

/** Unanswered messages of one socket, at most. */
const inFlightMax = 4
/** Milliseconds between two messages of one writer. */
const pauseMs = 25

/** Letters to send again, and stored messages that can be changed. */
export class Letterbox {
  readonly unsettled: Letter[] = []
  readonly stored: Array<{ letter: Letter, messageId: string, conversationId: string, seq: number }> = []

  settle (letter: Letter, { ending, conversationId }: Attempt): void {
    if (ending.kind === 'stored') this.stored.push({ letter, messageId: ending.messageId, conversationId, seq: ending.seq })
    else if (ending.kind === 'unknown' || retryable.has(ending.code)) this.unsettled.push(letter)
  }
}

const retryable = new Set(['RATE_LIMITED', 'OVERLOADED', 'UNAVAILABLE', 'INTERNAL', ''])

/** Every device writes to its user's conversations, several messages at once, even if its connection breaks. */
export async function write (stage: Stage, box: Letterbox): Promise<void> {
  await Promise.all(stage.members.flatMap(person => devicesOf(stage, person).map(device => writer(stage, device, box))))
}

async function writer (stage: Stage, device: Device, box: Letterbox): Promise<void> {
  const random = stage.random.fork()
  const underWay = new Set<Promise<void>>()
  for (let number = 1; !stage.ending.aborted; number++) {
    await delay(pauseMs * (0.5 + random.next()))
    if (!device.connected) continue
    const target = random.pick(stage.targets.get(device.person.id)!)
    const clientMessageId = `${stage.run}-${device.name}-${number}`
    const letter: Letter = { person: device.person, target, clientMessageId, content: `${clientMessageId} ${'x'.repeat(random.integer(0, 60))}.` }
    const sending = sendBySocket(stage, device, letter, true).then(attempt => { box.settle(letter, attempt) })
    underWay.add(sending)
    void sending.finally(() => underWay.delete(sending))
    if (underWay.size >= inFlightMax) await Promise.race(underWay)
  }
  await Promise.all(underWay)
}

/**
 * Sends messages without an answer again, in any order, over several transports, nodes and devices at once, until they
 * have one.
 */
export async function resend (stage: Stage, box: Letterbox): Promise<void> {
  const random = stage.random.fork()
  while (!stage.ending.aborted || box.unsettled.length > 0) {
    await delay(stage.ending.aborted ? 5 : 30)
    if (box.unsettled.length === 0) continue
    const [letter] = box.unsettled.splice(random.integer(0, box.unsettled.length - 1), 1)
    const attempts = await volley(stage, letter!, random.integer(1, 4))
    const settled = attempts.find(({ ending }) => ending.kind === 'stored') ?? attempts[0]
    if (settled === undefined) box.unsettled.push(letter!)
    else box.settle(letter!, settled)
    // No node answers: the server is down.
    if (attempts.every(({ ending }) => ending.kind === 'unknown')) await delay(100)
  }
}

/** Sends answered messages again, recent and old ones, and sometimes another body under the same id. */
export async function repeat (stage: Stage, box: Letterbox): Promise<void> {
  const random = stage.random.fork()
  while (!stage.ending.aborted) {
    await delay(40)
    if (box.stored.length === 0) continue
    const { letter } = random.pick(random.chance(0.5) ? box.stored : box.stored.slice(-10))
    await volley(stage, random.chance(0.3) ? { ...letter, content: `${letter.content} another` } : letter, random.integer(1, 3))
  }
}

/** Sends several copies at once, each by another transport or node. */
async function volley (stage: Stage, letter: Letter, copies: number): Promise<Attempt[]> {
  const { random } = stage
  const devices = devicesOf(stage, letter.person).filter(device => device.connected)
  const ways: Array<() => Promise<Attempt | null>> = [
    () => sendByRest(stage, random.pick(stage.nodes), letter),
    () => sendByPush(stage, random.pick(stage.nodes), letter),
    ...devices.map(device => () => sendBySocket(stage, device, letter))
  ]
  const attempts = await Promise.all(Array.from({ length: copies }, () => random.pick(ways)()))
  return attempts.filter(attempt => attempt !== null)
}

/** Ends connections at arbitrary moments. */
export async function dropConnections (stage: Stage): Promise<void> {
  const random = stage.random.fork()
  // One device of each user keeps its connection, because it must receive everything.
  const fragile = stage.members.flatMap(person => devicesOf(stage, person).slice(1))
  while (!stage.ending.aborted) {
    await delay(random.integer(300, 1_200), undefined, { signal: stage.ending }).catch(() => {})
    if (!stage.ending.aborted) random.pick(fragile).drop()
  }
}
