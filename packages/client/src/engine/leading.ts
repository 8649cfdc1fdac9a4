import type { Core, Remote } from '../core.ts'
import type { Tokens } from '../network/tokens.ts'
import type { SocketTransport } from '../network/transport.ts'
import type { Connection } from '../types.ts'
import type { Engine } from './engine.ts'

/** The tab that talks to the server, as the rest of the client sees it: its code is loaded when a tab leads first. */
export interface Leading {
  readonly remote: Remote
  readonly transport: 'socket' | 'poll' | 'none'
  readonly counters: Record<string, number>
  /** Becomes the writer of what the server says, and drops what is too much to be kept. */
  begin: () => Promise<void>
  /** Connects, and stays connected. */
  start: () => void
  stop: () => Promise<void>
  /** Does the socket still reach the server? */
  probe: () => Promise<void>
  /** What the server holds now. */
  sync: (signal?: AbortSignal) => Promise<void>
}

export interface LeaderOptions {
  core: Core
  engine: Engine
  url: string
  socket: SocketTransport | undefined
  tokens: Tokens
  /** Messages that are stored at most; undefined: they go with the program. Then nothing is fetched ahead either. */
  keep?: number | undefined
  onState: (state: Omit<Connection, 'leads'>) => void
  onEvent: (name: string, payload: unknown) => void
  onSocket: (isOpen: boolean) => void
}
