import { type TidelogError, failureBody } from '../errors.ts'
import type { ServerEventName, ServerPayload } from '../schemas/events.ts'
import { JsonText } from '../connection/socket-io.ts'
import type { ChatSocket } from '../connection/socket-types.ts'
import { ClientMessageId } from '../schemas/message.ts'
import { isLonger } from '../schemas/text.ts'

/** The reply to a client event. */
export interface Reply {
  /** Fields of the acknowledgement beside `success`, or the whole of it. */
  ack: Record<string, unknown> | JsonText
  /** The event that answers legacy clients. */
  event?: ReplyEvent
  /** An event for clients that sent no callback, if no other event tells them. */
  eventWithoutAck?: ReplyEvent
}

export type ReplyEvent = { [E in ServerEventName]: [name: E, payload: ServerPayload<E>] }[ServerEventName]

export type Callback = (answer: object) => void

/** The arguments of an event: its payload, and the callback if the last one is a function. */
export function readArguments (given: readonly unknown[]): { data: unknown, callback: Callback | undefined } {
  const last = given.at(-1)
  const callback = typeof last === 'function' ? last as Callback : undefined
  return { data: given.length > (callback === undefined ? 0 : 1) ? given[0] : undefined, callback }
}

/** Answers a client event that succeeded: the legacy event first, then the callback. */
export function sendReply (
  socket: ChatSocket, { ack, event, eventWithoutAck }: Reply, callback: Callback | undefined
): void {
  if (event !== undefined) emit(socket, event)
  if (callback !== undefined) callback(ack instanceof JsonText ? ack : { success: true, ...ack })
  else if (eventWithoutAck !== undefined) emit(socket, eventWithoutAck)
}

/** Answers a client event that failed: by the callback if there is one, otherwise by an `error` event. */
export function sendFailure (
  socket: ChatSocket,
  error: TidelogError,
  about: { event: string, text: string, data: unknown },
  callback: Callback | undefined
): void {
  if (callback !== undefined) {
    callback(failureBody(error))
    return
  }
  const clientMessageId =
    typeof about.data === 'object' && about.data !== null
      ? (about.data as Record<string, unknown>)['clientMessageId']
      : undefined
  socket.emit('error', {
    message: about.text,
    error: error.message,
    code: error.code,
    event: about.event,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(typeof clientMessageId === 'string' && !isLonger(clientMessageId, ClientMessageId.maxLength!)
      ? { clientMessageId }
      : {})
  })
}

function emit (socket: ChatSocket, [name, payload]: ReplyEvent): void {
  // The name and its payload are typed as one pair; Socket.IO's own types do not follow a union of pairs.
  (socket.emit as (name: string, payload: unknown) => boolean).call(socket, name, payload)
}
