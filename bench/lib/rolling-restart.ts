import { setTimeout as delay } from 'node:timers/promises'
import { type Socket, io } from 'socket.io-client'
import type { BenchCluster } from './cluster.ts'
import { person } from './people.ts'
import { latencyOf } from './statistics.ts'

const everyMs = 50
const settleMs = 15_000
/** The user who sends. */
const sender = 1

/**
 * Restarts every node in turn while sockets are spread over them and messages are sent. A socket that is sent away goes
 * to the next node, as a load balancer would choose. @returns what the clients saw
 */
export async function rollingRestart (
  cluster: BenchCluster, first: number, sockets: number
): Promise<Record<string, string>> {
  const downMs: number[] = []
  const comings: number[] = []
  const ending = new AbortController()
  const roomId = `restart-${Date.now()}`
  const heard = new Map<string, number>()
  const open = new Map<number, Socket>()

  /** Keeps a user connected to some node that takes them. */
  async function stay (index: number): Promise<void> {
    let wentAt: number | undefined
    for (let turn = index; !ending.signal.aborted; turn++) {
      const { url } = cluster.nodes[turn % cluster.nodes.length]!
      const { token } = person(first + index)
      const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, auth: { token } })
      let waitMs = 0
      socket.on('goingAway', ({ reconnectAfterMs }: { reconnectAfterMs: number }) => { waitMs = reconnectAfterMs })
      socket.on('roomMessage', ({ message }: { message: string }) => {
        if (index === 0) heard.set(message, (heard.get(message) ?? 0) + 1)
      })
      const gone = new Promise<void>(resolve => {
        socket.once('disconnect', () => { resolve() })
        socket.once('connect_error', () => { resolve() })
      })
      const connected = new Promise<true>(resolve => { socket.once('connect', () => { resolve(true) }) })
      if (await Promise.race([connected, gone]) !== true) {
        await delay(100 + Math.random() * 400)
        continue
      }
      await Promise.race([socket.emitWithAck('joinRoom', roomId), gone])
      comings.push(performance.now())
      if (wentAt !== undefined) downMs.push(performance.now() - wentAt)
      open.set(index, socket)
      await gone
      open.delete(index)
      wentAt = performance.now()
      // The node has told each socket another moment, and ends its connection by then.
      if (waitMs === 0) await delay(Math.random() * 500)
    }
  }

  for (let index = 0; index < sockets; index++) void stay(index)
  while (open.size < sockets) await delay(everyMs)
  comings.splice(0)
  const acknowledged: string[] = []
  let unknown = 0
  const sending = (async () => {
    for (let number = 0; !ending.signal.aborted; number++) {
      const content = `message ${number}`
      // By the same user until it is acknowledged: another user's would be another message.
      for (;;) {
        const socket = open.get(sender)
        const sent = { roomId, content, clientMessageId: `${roomId}-${number}` }
        const answer = await socket?.timeout(2_000).emitWithAck('sendRoomMessage', sent)
          .catch(() => undefined) as { success: boolean } | undefined
        if (answer?.success === true) break
        unknown++
        await delay(everyMs)
      }
      acknowledged.push(content)
      await delay(everyMs)
    }
  })()
  const start = performance.now()
  for (let index = 0; index < cluster.nodes.length; index++) await cluster.restart(index)
  const restartedMs = performance.now() - start
  const deadline = performance.now() + settleMs
  while (open.size < sockets && performance.now() < deadline) await delay(everyMs)
  ending.abort()
  await sending
  const stored = await textsOf(cluster, roomId, first, acknowledged.length)
  for (const socket of open.values()) socket.disconnect()
  const perSecond = new Map<number, number>()
  for (const at of comings) perSecond.set(Math.floor(at / 1_000), (perSecond.get(Math.floor(at / 1_000)) ?? 0) + 1)
  const { p50, p99, max } = latencyOf(downMs)
  return {
    'time of the restart': `${(restartedMs / 1_000).toFixed(1)} s`,
    'sockets that came back': `${open.size} of ${sockets}, ${downMs.length} changes of node`,
    'time without a connection': `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, longest ${max.toFixed(0)} ms`,
    'worst second': `${Math.max(...perSecond.values())} sockets came`,
    'messages acknowledged': `${acknowledged.length}, ${unknown} sent again`,
    'stored not once': String(acknowledged.filter(text => stored.get(text) !== 1).length),
    'delivered twice to one socket': String([...heard.values()].filter(times => times > 1).length)
  }
}

/** How often each message is stored. */
async function textsOf (
  { nodes }: BenchCluster, roomId: string, index: number, count: number
): Promise<Map<string, number>> {
  const texts = new Map<string, number>()
  let before = ''
  for (let read = 0; read < count;) {
    const response = await fetch(`${nodes[0]!.url}/api/rooms/${roomId}/messages?limit=100${before}`, {
      headers: { authorization: `Bearer ${person(index).token}` }
    })
    const { messages } = await response.json() as { messages: Array<{ message: string, seq: number }> }
    if (messages.length === 0) break
    for (const { message } of messages) texts.set(message, (texts.get(message) ?? 0) + 1)
    read += messages.length
    before = `&before=${Math.min(...messages.map(({ seq }) => seq))}`
  }
  return texts
}
