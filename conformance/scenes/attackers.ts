// Runs all floods of the abuse scene in a thread of its own, so that what an attack costs the attacker is not taken for
// a wait of the honest user.
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import type { Person } from '../people.ts'
import { type Attacked, floodHandshakes, floodPolling, floodWebsockets } from './floods.ts'

export interface Attackers {
  url: string
  mallory: Person
  trudy: Person
}

export interface Attack {
  websockets: Attacked
  polling: Attacked
  handshakes: Attacked
}

/**
 * Attacks until `end` is called.
 * @throws what the thread throws
 */
export async function startAttack (attackers: Attackers): Promise<{ end: () => Promise<Attack> }> {
  const worker = new Worker(new URL(import.meta.url), { workerData: attackers })
  const ended = new Promise<Attack>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
  })
  ended.catch(() => {})
  await new Promise<void>((resolve, reject) => { worker.once('online', resolve).once('error', reject) })
  return {
    async end () {
      worker.postMessage('end')
      const attack = await ended
      await worker.terminate()
      return attack
    }
  }
}

async function attack ({ url, mallory, trudy }: Attackers): Promise<Attack> {
  const ending = new AbortController()
  parentPort!.once('message', () => { ending.abort() })
  const [websockets, polling, handshakes] = await Promise.all([
    floodWebsockets(url, mallory, ending.signal), floodPolling(url, trudy, ending.signal), floodHandshakes(url, ending.signal)
  ])
  return { websockets, polling, handshakes }
}

if (!isMainThread && parentPort !== null) parentPort.postMessage(await attack(workerData as Attackers))
