/** How the core talks over a socket; `@tidelog/client/socket` has the one of Socket.IO. */
export interface SocketTransport {
  /**
   * Connects. Resolves with an open socket.
   * @throws TidelogError `INVALID_TOKEN`, `UNKNOWN_USER`, `OFFLINE`, `TIMEOUT`
   */
  open: (options: OpenOptions) => Promise<OpenSocket>
}

export interface OpenOptions {
  url: string
  token: string
  /** `polling` for networks that let no websocket through. */
  transport: 'websocket' | 'polling'
  timeoutMs: number
  signal: AbortSignal
  /** Everything that the server sends, in order. */
  onEvent: (name: string, payload: unknown) => void
  /** Once, when an open socket is gone. */
  onClose: (reason: string) => void
}

export interface OpenSocket {
  /** Resolves with the acknowledgement. @throws TidelogError `TIMEOUT`, `OFFLINE` */
  ask: (event: string, data: unknown, timeoutMs: number) => Promise<unknown>
  /** Without an answer. */
  tell: (event: string, data: unknown) => void
  close: () => void
}
