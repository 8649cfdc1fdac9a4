// Floor: plain Socket.IO on plain HTTP. It answers the product's events with payloads of the same shape, to the same
// sockets, and does nothing else: no authentication, no validation, no storage.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { person } from '../lib/people.ts'
import { directPayload, roomPayload } from './payload.ts'

type Answer = ((body: unknown) => void) | undefined

const server = createServer()
const io = new Server(server, { transports: ['websocket'], serveClient: false })
const revs = new Map<string, number>()

function nextRev (conversation: string): number {
  const rev = (revs.get(conversation) ?? 0) + 1
  revs.set(conversation, rev)
  return rev
}

io.on('connection', socket => {
  const self = person(Number(socket.handshake.auth['index']))
  void socket.join(`user_${self.id}`)
  socket.on('joinRoom', (roomId: string, answer: Answer) => {
    void socket.join(`room_${roomId}`)
    socket.emit('joinedRoom', { roomId, success: true })
    answer?.({ success: true })
  })
  socket.on('sendDirectMessage', (input: { receiverId: string, content: string, clientMessageId?: string }, answer: Answer) => {
    const receiver = person(parseInt(input.receiverId.slice(8), 16))
    const payload = directPayload(self, receiver, input.content, input.clientMessageId ?? null, nextRev(`${self.id} ${receiver.id}`))
    answer?.({ success: true, rev: payload.rev })
    socket.emit('directMessage', payload)
    io.to(`user_${receiver.id}`).emit('directMessage', payload)
  })
  socket.on('sendRoomMessage', (input: { roomId: string, content: string, clientMessageId?: string }, answer: Answer) => {
    const payload = roomPayload(self, input.roomId, input.content, input.clientMessageId ?? null, nextRev(input.roomId))
    answer?.({ success: true, rev: payload.rev })
    io.to(`room_${input.roomId}`).emit('roomMessage', payload)
  })
})

server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})
process.once('SIGTERM', () => process.exit(0))
