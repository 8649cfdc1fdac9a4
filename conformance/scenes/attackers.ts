// Runs all floods of the abuse scene in a process of its own, so that what an attack costs the attacker does not look
// like a wait of the honest user.
import { fork } from 'node:child_process'
import { once, setMaxListeners } from 'node:events'
import { fileURLToPath } from 'node:url'
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

type Said = 'ready' | Attack

const self = fileURLToPath(import.meta.url)

/** Attacks until `end` is called. @throws if the attackers' process cannot start or ends by itself */
export async function startAttack (attackers: Attackers): Promise<{ end: () => Promise<Attack> }> {
  const child = fork(self, ['attack'])
  const said = async (): Promise<Said> => {
    const gone = once(child, 'exit').then(([code]) => { throw new Error(`The attackers' process ended with ${code}`) })
    return (await Promise.race([once(child, 'message'), gone]))[0] as Said
  }
  await said()
  child.send(attackers)
  return {
    async end () {
      const answered = said()
      child.send('end')
      const attack = await answered as Attack
      child.kill()
      return attack
    }
  }
}

/** Waits for the orders of the process that started this one. */
async function serve (send: (said: Said) => void): Promise<void> {
  const ordered = once(process, 'message')
  send('ready')
  const [{ url, mallory, trudy }] = await ordered as [Attackers]
  const ending = new AbortController()
  setMaxListeners(0, ending.signal)
  process.once('message', () => { ending.abort() })
  const [websockets, polling, handshakes] = await Promise.all([
    floodWebsockets(url, mallory, ending.signal),
    floodPolling(url, trudy, ending.signal),
    floodHandshakes(url, ending.signal)
  ])
  send({ websockets, polling, handshakes })
}

if (process.argv[1] === self && process.send !== undefined) await serve(said => { process.send!(said) })
