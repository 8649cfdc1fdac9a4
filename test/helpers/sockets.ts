import { type ManagerOptions, type Socket, type SocketOptions, io } from 'socket.io-client'

/** A test checks the form of a payload itself. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Payload = any

export interface TestSocket {
  socket: Socket
  /** Every event that arrived, in order. */
  events: Array<{ name: string, payload: Payload }>
  /** The payloads of one event, in order. */
  all: (name: string) => Payload[]
  /** Resolves with this event's first matching payload, received before or later. */
  wait: (name: string, matches?: (payload: Payload) => boolean) => Promise<Payload>
  /** Resolves with the reason when the socket is disconnected. */
  gone: Promise<string>
  /** Emits with a callback, and resolves with the callback's argument. */
  ask: (name: string, ...data: unknown[]) => Promise<Payload>
}

interface Suite {
  teardown: (end: () => void) => void
}

/** A connected socket of the user of `token`. @throws the connection's error */
export async function connect (t: Suite, url: string, token: unknown, options: Partial<ManagerOptions & SocketOptions> = {}): Promise<TestSocket> {
  const opened = open(t, url, token, options)
  await new Promise<void>((resolve, reject) => {
    opened.socket.once('connect', resolve)
    opened.socket.once('connect_error', reject)
  })
  return opened
}

/** A connected socket that gets its user's conversations live. */
export async function connectLive (...given: Parameters<typeof connect>): Promise<TestSocket> {
  const socket = await connect(...given)
  await socket.ask('setupUser', { live: true })
  return socket
}

/** A socket that is still connecting. */
export function open (t: Suite, url: string, token: unknown, options: Partial<ManagerOptions & SocketOptions> = {}): TestSocket {
  const socket = io(url, { auth: token === undefined ? {} : { token }, transports: ['websocket'], reconnection: false, forceNew: true, timeout: 120_000, ...options })
  t.teardown(() => { socket.close() })
  const gone = new Promise<string>(resolve => { socket.once('disconnect', reason => { resolve(reason) }) })
  const events: TestSocket['events'] = []
  const waiting = new Set<() => void>()
  socket.onAny((name: string, payload: unknown) => {
    events.push({ name, payload })
    for (const look of waiting) look()
  })
  return {
    socket,
    events,
    gone,
    all: name => events.filter(event => event.name === name).map(event => event.payload),
    wait: (name, matches = () => true) => new Promise(resolve => {
      const look = () => {
        const found = events.find(event => event.name === name && matches(event.payload))
        if (found === undefined) return
        waiting.delete(look)
        resolve(found.payload)
      }
      waiting.add(look)
      look()
    }),
    ask: (name, ...data) => new Promise(resolve => { socket.emit(name, ...data, resolve) })
  }
}
