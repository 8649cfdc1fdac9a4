import { once } from 'node:events'
import { Encoder, type Packet, PacketType } from 'socket.io-parser'
import t from 'tap'
import type { ChatSocket } from '../../src/connection/socket-types.ts'
import { startApp } from '../helpers/app.ts'
import { connect } from '../helpers/sockets.ts'
import {
  JsonText, onRoomCreated, onRoomDeleted, packetOf, parser, roomsOf, socketsIn, writePackets
} from '../../src/connection/socket-io.ts'

// What is relied on here is promised by nobody: a version of Socket.IO or Engine.IO that changes it fails here first.

const { app, url, register } = await startApp(t)
const ann = await register('ann')

interface Internals {
  writeToEngine: (packets: unknown, options: { preEncoded?: boolean }) => void
  conn: NodeJS.EventEmitter & { writeBuffer: unknown[], transport: { socket?: { pause?: unknown, resume?: unknown } } }
}

const internalsOf = (socket: ChatSocket) => socket.client as unknown as Internals
const serverSide = (id: string) => app.io.of('/').sockets.get(id)!

for (const transport of ['websocket', 'polling']) {
  t.test(`packets of every length arrive in order over ${transport}`, async t => {
    const client = await connect(t, url, ann.token, { transports: [transport] })
    const words = ['', 'x'.repeat(100), 'é'.repeat(200), 'x'.repeat(70_000), 'last']
    writePackets([serverSide(client.socket.id!)], words.map(word => packetOf('noop', { word })))
    await client.wait('noop', ({ word }) => word === 'last')
    t.same(client.all('noop').map(({ word }) => word), words)
  })
}

t.test('an event for many sockets is written with `preEncoded`, and one for a single socket without it', async t => {
  const client = await connect(t, url, ann.token)
  const socket = serverSide(client.socket.id!)
  const internals = internalsOf(socket)
  const written: unknown[] = []
  const write = internals.writeToEngine.bind(internals)
  internals.writeToEngine = (packets, options) => {
    written.push(options.preEncoded === true)
    write(packets, options)
  }
  app.io.local.to(socket.id).emit('resync', {})
  socket.emit('resync', {})
  writePackets([socket], [packetOf('resync', {})])
  t.same(written, [true, false, true])
})

t.test('our encoder writes the same text as Socket.IO\'s', async t => {
  const data = ['noop', { text: 'é "quoted"', at: new Date(0), none: undefined, deep: { list: [1, null, true] } }]
  const packets: Packet[] = [
    { type: PacketType.CONNECT, nsp: '/', data: { sid: 'a' } },
    { type: PacketType.CONNECT_ERROR, nsp: '/elsewhere', data: { message: 'no' } },
    { type: PacketType.DISCONNECT, nsp: '/' },
    ...['/', '/elsewhere'].flatMap(nsp => [
      { type: PacketType.EVENT, nsp, data },
      { type: PacketType.EVENT, nsp, data, id: 0 },
      { type: PacketType.ACK, nsp, data: data.slice(1), id: 12 },
      { type: PacketType.ACK, nsp, data: [], id: 12 }
    ])
  ]
  for (const packet of packets) t.same(new parser.Encoder().encode(packet), new Encoder().encode(packet))
})

t.test('an acknowledgement that is already JSON reaches the client unchanged', async t => {
  for (const transport of ['websocket', 'polling']) {
    const client = await connect(t, url, ann.token, { transports: [transport] })
    serverSide(client.socket.id!).prependAny((_name, _data, callback: (answer: object) => void) => {
      callback(new JsonText('{"success":true,"words":["é","\\n\\u001e"]}'))
    })
    const answer: unknown = await client.socket.timeout(5_000).emitWithAck('no such event', {})
    t.same(answer, { success: true, words: ['é', '\n\x1e'] })
  }
})

t.test('a connection has a buffer that drains, and a TCP socket that can be paused', async t => {
  const client = await connect(t, url, ann.token)
  const socket = serverSide(client.socket.id!)
  const { conn } = internalsOf(socket)
  t.type(conn.transport.socket?.pause, 'function')
  t.type(conn.transport.socket?.resume, 'function')
  const drained = once(conn, 'drain')
  socket.emit('resync', {})
  socket.emit('resync', {})
  t.ok(conn.writeBuffer.length > 0)
  await drained
  t.ok(Array.isArray(conn.writeBuffer))
})

t.test('the adapter knows the sockets of a room and announces when the last has left', async t => {
  const client = await connect(t, url, ann.token)
  const socket = serverSide(client.socket.id!)
  const deleted: string[] = []
  const created: string[] = []
  onRoomCreated(app.io, room => { created.push(room) })
  onRoomDeleted(app.io, room => { deleted.push(room) })
  void socket.join(['a room', 'another'])
  t.same(roomsOf(app.io).get('a room'), new Set([socket.id]))
  t.same(socketsIn(app.io, ['a room', 'another']).map(({ id }) => id), [socket.id])
  t.same(socketsIn(app.io, ['a room'], ['another']), [])
  void socket.leave('a room')
  t.same(deleted, ['a room'])
  t.same(created, ['a room', 'another'])
})

t.test('namespaces and connections are found by their names', async t => {
  t.ok(app.io._nsps.has('/'))
  const { clients } = app.io.engine as unknown as { clients: Record<string, unknown> }
  const client = await connect(t, url, ann.token)
  t.ok((serverSide(client.socket.id!).conn as unknown as { id: string }).id in clients)
})
