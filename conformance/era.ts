import { setTimeout as delay } from 'node:timers/promises'
import { change } from './attacks/changes.ts'
import { follow } from './attacks/followers.ts'
import { changeMembers } from './attacks/membership.ts'
import { pushOutboxes } from './attacks/outbox.ts'
import { changeSettings } from './attacks/settings.ts'
import { pull } from './attacks/pull.ts'
import { trespass } from './attacks/strangers.ts'
import { Letterbox, dropConnections, repeat, resend, write } from './attacks/writers.ts'
import { checkDevices, deliveryMs } from './checks/devices.ts'
import { type Control, waitReady } from './deployment.ts'
import { Device } from './device.ts'
import { History } from './history.ts'
import { type Person, directId, people } from './people.ts'
import type { Random } from './random.ts'
import { Rest } from './rest.ts'
import { playScenes } from './scenes/index.ts'
import { countUnread, snapshot } from './snapshots.ts'
import type { Stage, Target } from './stage.ts'

export interface EraOptions {
  urls: readonly string[]
  control: Control | undefined
  /** Play the scenes before the load. */
  withScenes: boolean
  /** Milliseconds of load. */
  loadMs: number
  /** Milliseconds between two kills. */
  killEveryMs: number
  tokens: readonly string[]
  /** Write to the common chat too. Every user of the deployment sees it. */
  common: boolean
  random: Random
  run: string
  say: (line: string) => void
}

const membersCount = 3

/** One period of load with its own users, rooms and connections, followed by a fresh fetch. @returns what happened */
export async function playEra (options: EraOptions): Promise<History> {
  const { urls, control, loadMs, say } = options
  const history = new History()
  const ending = new AbortController()
  const settled = new AbortController()
  await waitReady(urls)
  if (options.withScenes) await scenesFirst(options, history)
  const stage = await setUp(options, history, ending.signal, settled.signal)
  const box = new Letterbox()
  const [ada, bob, cid] = stage.members as [Person, Person, Person]
  const following = Promise.all([
    follow(stage, ada, bob, 'time'), follow(stage, bob, ada, 'cursor'), follow(stage, ada, cid, 'tombstones'), follow(stage, cid, bob, 'time'), follow(stage, cid, ada, 'cursor'),
    ...stage.members.map(person => pull(stage, person))
  ])
  const working = Promise.all([write(stage, box), resend(stage, box), repeat(stage, box), change(stage, box), dropConnections(stage), pushOutboxes(stage), trespass(stage, box), changeMembers(stage), changeSettings(stage)])
  try {
    await Promise.race([load(options, control, stage), working, following])
    ending.abort()
    await working
    await watchLast(stage)
    settled.abort()
    await following
    await countUnread(stage)
    await snapshot(stage, 'at the end')
  } finally {
    ending.abort()
    settled.abort()
    await Promise.all(stage.devices.map(device => device.stop()))
  }
  const stored = new Set(history.seen.map(({ messageId }) => messageId)).size
  say(`${stored} messages in ${history.attempts.length} sends, ${history.changes.length} changes, ${history.connections.length} connections, ${history.kills} kills in ${Math.round(loadMs / 1_000)} s of load`)
  return history
}

/** Plays the scenes while nothing else runs, because their checks are exact. */
async function scenesFirst ({ urls, tokens, run, common, say }: EraOptions, history: History): Promise<void> {
  const rest = new Rest(urls[0]!, history)
  const startedAt = Date.now()
  await playScenes({ history, rest, everybody: await people(rest, membersCount + 1, `${run}-s`, tokens), common, run, registers: tokens.length === 0 })
  say(`${history.observations.length} observations in ${Math.round((Date.now() - startedAt) / 1_000)} s of scenes`)
}

/** Runs the attacks, and kills the deployment meanwhile. */
async function load ({ loadMs, killEveryMs, random, urls, say }: EraOptions, control: Control | undefined, stage: Stage): Promise<void> {
  const until = Date.now() + loadMs
  if (control === undefined) return await delay(loadMs)
  while (Date.now() + killEveryMs < until) {
    await delay(killEveryMs * (0.6 + 0.6 * random.next()))
    say(`${control.describe?.() ?? 'kill -9'} under load`)
    const from = Date.now()
    await control.kill()
    stage.history.kills++
    await control.start()
    await waitReady(urls)
    if (control.describe !== undefined) stage.history.unlinked.push({ from, to: Date.now() })
    await snapshot(stage, `after kill ${stage.history.kills}`)
  }
  await delay(Math.max(0, until - Date.now()))
}

/** Waits until every device that kept its connection has received everything, or had enough time for it. */
async function watchLast ({ devices, history }: Stage): Promise<void> {
  const until = Date.now() + deliveryMs
  while (checkDevices(history).findings.length > 0 && Date.now() < until) await delay(200)
  for (const device of devices) device.release()
}

async function setUp ({ urls, tokens, random, run, common }: EraOptions, history: History, ending: AbortSignal, settled: AbortSignal): Promise<Stage> {
  const nodes = urls.map(url => new Rest(url, history))
  const everybody = await people(nodes[0]!, membersCount + 1, run, tokens)
  const members = everybody.slice(0, membersCount)
  const stranger = everybody.at(-1)!
  const roomId = `kit.${run}`
  for (const [index, a] of members.entries()) {
    for (const b of members.slice(index + 1)) history.members.set(directId(a.id, b.id), new Set([a.id, b.id]))
  }
  history.members.set(`room_${roomId}`, new Set(members.map(({ id }) => id)))
  const baselines = new Map<string, number>()
  if (common) {
    const newest = await nodes[0]!.call('GET', '/api/common-chat/messages?limit=1', members[0]!.token)
    baselines.set('common_chat', Number(newest?.body.messages?.at(-1)?.seq ?? 0))
  }
  let sockets = 0
  // Nodes take turns: what is said on one is heard on the others.
  const nextUrl = () => urls[sockets++ % urls.length]!
  const devices = members.flatMap((person, index) => [1, 2].map(number => {
    const options = { live: number === 1, rooms: [roomId], common, polling: number === 2 && index === 1 }
    return new Device(`${person.name}/${number}`, person, nextUrl(), history, options)
  }))
  const unheard = { live: true, rooms: [], common: false, polling: false }
  devices.push(new Device(`${stranger.name}/1`, stranger, nextUrl(), history, unheard))
  // The first user to join opens the room.
  for (const device of devices) await device.start()
  return { history, random, people: everybody, members, stranger, devices, nodes, roomId, baselines, ending, settled, run, targets: targetsOf(members, roomId, common) }
}

function targetsOf (members: readonly Person[], roomId: string, common: boolean): Map<string, Target[]> {
  return new Map(members.map(me => [me.id, [
    ...members.filter(other => other !== me).map((other): Target => ({ conversationId: directId(me.id, other.id), event: 'sendDirectMessage', path: '/api/messages', names: { receiverId: other.id } })),
    { conversationId: `room_${roomId}`, event: 'sendRoomMessage', path: `/api/rooms/${roomId}/messages`, names: { roomId } },
    ...(common ? [{ conversationId: 'common_chat', event: 'sendCommonChatMessage', path: '/api/common-chat/message', names: {} } as const] : [])
  ]]))
}
