import type { TSchema } from '@sinclair/typebox'
import { Acknowledgement, clientEvents, serverEvents } from './events.ts'

/** A reference to the message of this name. */
const messageRef = (name: string) => ({ $ref: `#/channels/socket/messages/${name}` })

/**
 * The socket's events as an AsyncAPI 3 document, made from the schemas that validate them. `receive` and `send` are
 * meant from the server's side. Served as `/documentation/asyncapi.json`.
 */
export function asyncApi (): object {
  const incoming = Object.entries(clientEvents)
  const outgoing = Object.entries(serverEvents)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tidelog',
      version: '0.1.0',
      description: 'Socket.IO events. Send `auth.token` with the handshake. Every client event takes an ' +
        'acknowledgement callback as its last argument.'
    },
    defaultContentType: 'application/json',
    channels: {
      socket: {
        address: '/socket.io/',
        title: 'The Socket.IO connection',
        messages: {
          ...Object.fromEntries(incoming.map(([name, { input, description }]) =>
            [incomingName(name), message(name, input, description)])),
          ...Object.fromEntries(outgoing.map(([name, payload]) => [name, message(name, payload)])),
          acknowledgement: message('acknowledgement', Acknowledgement, 'What the callback of a client event gets')
        }
      }
    },
    operations: {
      ...Object.fromEntries(incoming.map(([name, { description }]) => [incomingName(name), {
        action: 'receive',
        channel: { $ref: '#/channels/socket' },
        summary: description,
        messages: [messageRef(incomingName(name))],
        reply: { channel: { $ref: '#/channels/socket' }, messages: [messageRef('acknowledgement')] }
      }])),
      ...Object.fromEntries(outgoing.map(([name]) => [name, {
        action: 'send',
        channel: { $ref: '#/channels/socket' },
        messages: [messageRef(name)]
      }]))
    }
  }
}

/** `typing` is sent in both directions: the client's message needs a name of its own in the document. */
function incomingName (event: string): string {
  return event in serverEvents ? `${event}FromClient` : event
}

function message (event: string, payload: TSchema, summary: string | undefined = payload.description): object {
  // TypeBox marks its schemas with symbols. JSON drops them.
  const plain = JSON.parse(JSON.stringify(payload)) as object
  return { name: event, ...(summary === undefined ? {} : { summary }), payload: plain }
}
