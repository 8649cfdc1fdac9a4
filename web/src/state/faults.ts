import { type SocketTransport, TidelogError } from '@tidelog/client'
import { socketTransport } from '@tidelog/client/socket'
import { signal } from '@preact/signals'

/** What the fault drawer does to what comes in over the socket; for development, and to see that sync is right. */
export type FaultName = 'drop' | 'delay' | 'double' | 'reorder'
export interface Fault {
  isOn: boolean
  amount: number
}

/** Percent of the events; for `delay`, milliseconds. */
export const faults = signal<Record<FaultName, Fault>>({
  drop: { isOn: false, amount: 20 },
  delay: { isOn: false, amount: 1_200 },
  double: { isOn: false, amount: 10 },
  reorder: { isOn: false, amount: 30 }
})
export const isCutOff = signal(false)

/** One event of the socket, for the drawer's picture. */
export interface Arrival {
  name: string
  conversationId: string | undefined
  rev: number | undefined
  sentAt: number
  arrivedAt: number
  fate: 'ok' | 'lost' | 'late' | 'twice'
}

/** The latest events; kept only while the drawer listens. */
export const arrivals: Arrival[] = []
export const isListening = signal(false)
const arrivalsMax = 400

let closeSocket: (() => void) | undefined

/** Ends the connection as a bad network does; the client connects again by itself. */
export function killSocket (): void {
  closeSocket?.()
}

export function cutOff (isOff: boolean): void {
  isCutOff.value = isOff
  if (isOff) killSocket()
}

export const faultyFetch: typeof fetch = (input, init) =>
  isCutOff.value ? Promise.reject(new TypeError('cut off')) : fetch(input, init)

/** Socket.IO's transport behind the faults. @param at the server's endpoint */
export function faultySocket (at: { url: string; path: string }): SocketTransport {
  const transport = socketTransport({ path: at.path })
  return {
    open: async options => {
      if (isCutOff.value) throw new TidelogError({ code: 'OFFLINE' })
      const socket = await transport.open({
        ...options,
        // A path in the address would be a namespace.
        url: at.url,
        onEvent: disturb(options.onEvent),
        onClose: reason => {
          closeSocket = undefined
          options.onClose(reason)
        }
      })
      closeSocket = () => {
        socket.close()
        options.onClose('cut off')
      }
      return socket
    }
  }
}

/** Passes events on as the faults have it. */
function disturb (onEvent: (name: string, payload: unknown) => void): (name: string, payload: unknown) => void {
  let held: (() => void) | undefined
  return (name, payload) => {
    const { drop, delay, double, reorder } = faults.value
    const now = performance.now()
    const pass = (fate: Arrival['fate']) => {
      note(name, payload, now, fate)
      onEvent(name, payload)
    }
    if (hits(drop)) note(name, payload, now, 'lost')
    else if (reorder.isOn && held === undefined && hits(reorder)) {
      held = () => {
        pass('late')
      }
      setTimeout(release, 400)
    } else if (delay.isOn) {
      setTimeout(() => {
        pass('late')
      }, delay.amount)
    } else {
      pass('ok')
      release()
    }
    if (hits(double)) {
      setTimeout(() => {
        pass('twice')
      }, 300)
    }
  }

  function release (): void {
    held?.()
    held = undefined
  }
}

const hits = (fault: Fault): boolean => fault.isOn && Math.random() * 100 < fault.amount

function note (name: string, payload: unknown, sentAt: number, fate: Arrival['fate']): void {
  if (!isListening.value) return
  const { conversationId, rev } = (typeof payload === 'object' && payload !== null ? payload : {}) as {
    conversationId?: string
    rev?: number
  }
  arrivals.push({ name, conversationId, rev, sentAt, arrivedAt: performance.now(), fate })
  if (arrivals.length > arrivalsMax) arrivals.splice(0, arrivals.length - arrivalsMax)
}
