import { setTimeout as delay } from 'node:timers/promises'
import { startAttack } from './attackers.ts'
import { type Cast } from './cast.ts'
import type { Phone } from './phone.ts'

/** Milliseconds of measuring an honest user, before and during the attack, and before anything is counted. */
const warmUpMs = 1_000
const calmMs = 3_000
const attackMs = 6_000
const pauseMs = 10
/** How many times longer an honest user may wait; and a wait in milliseconds that is never too long. */
const slowerMax = 3
const waitMsFloor = 300

interface Measured {
  /** The 99th percentile, in milliseconds. */
  p99: number
  samples: number
  /** Missing answers and refusals. */
  refused: unknown[]
}

/** Two users attack by every way in while an honest user chats. The honest user must not wait longer, or be refused. */
export async function abuse (cast: Cast): Promise<void> {
  const { sheet, rest: { url }, ada } = cast
  const [mallory, trudy] = [await cast.somebody(), await cast.somebody()]
  if (mallory === undefined || trudy === undefined) return sheet.skip('floods: nobody can register to attack')
  const phone = await cast.phone(ada)
  await measure(cast, phone, warmUpMs)
  const before = await measure(cast, phone, calmMs)
  const attack = await startAttack({ url, mallory, trudy })
  const during = await measure(cast, phone, attackMs)
  const { websockets, polling, handshakes } = await attack.end()
  const seen = { before: { ...before, refused: before.refused.length }, during: { ...during, refused: during.refused.length }, websockets, polling, handshakes }
  sheet.that('nothing of an honest user is refused while others attack', during.refused.length === 0, during.refused.slice(0, 3))
  sheet.that('an honest user stays connected while others attack', phone.gone === undefined, phone.gone)
  sheet.that(`an honest user waits at most ${slowerMax} times as long while others attack`, during.p99 <= Math.max(slowerMax * before.p99, waitMsFloor), seen)
  sheet.that('a websocket that is flooded can be opened', websockets.connections > 0, websockets)
  sheet.that('a flood by polling is refused', polling.connections > 0 && polling.refusals > 0, polling)
  if (handshakes.refusals === 0) sheet.skip(`handshakes: ${handshakes.connections} in ${attackMs} ms are not limited (RATE_LIMIT_HANDSHAKES)`)
  sheet.is('after all of it others are served', await cast.call(ada, 'GET', '/api/messages/unread-count'), { status: 200 }, 0)
}

/** Measures one call after the other, over the socket and over REST. */
async function measure (cast: Cast, phone: Phone, ms: number): Promise<Measured> {
  const { ada, bob, rest } = cast
  const waits: number[] = []
  const refused: unknown[] = []
  const until = performance.now() + ms
  for (let number = 0; performance.now() < until; number++) {
    const startedAt = performance.now()
    if (number % 2 === 0) {
      const ack = await phone.ask('sendDirectMessage', { receiverId: bob.id, content: `calm ${number}`, clientMessageId: cast.name('calm') })
      if (ack?.success !== true) refused.push(ack ?? 'no acknowledgement')
    } else {
      const answer = await rest.call('GET', '/api/messages/unread-count', ada.token)
      if (answer?.status !== 200) refused.push(answer ?? 'no answer')
    }
    waits.push(performance.now() - startedAt)
    await delay(pauseMs)
  }
  waits.sort((a, b) => a - b)
  return { p99: Math.round(waits[Math.floor(waits.length * 0.99)] ?? 0), samples: waits.length, refused }
}
