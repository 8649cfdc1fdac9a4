import t from 'tap'
import fc from 'fast-check'
import { serialize } from 'bson'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { startEngine, temporaryFolder } from '../helpers/engine.ts'
import { message, WireClient } from '../helpers/wire-client.ts'

t.test('junk ends only its own connection', async t => {
  const { engine, db } = await startEngine(t)
  await db.collection('items').insertOne({ a: 1 })
  const hello = message(1, serialize({ hello: 1, $db: 'admin' }))
  const header = (length: number, opcode: number) => {
    const bytes = Buffer.alloc(64, 0x41)
    bytes.writeInt32LE(length, 0)
    bytes.writeInt32LE(opcode, 12)
    return bytes
  }
  const unknownFlag = message(1, serialize({ ping: 1, $db: 'admin' }), 1 << 5)
  for (const junk of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), header(-5, 2013), header(15, 2013), header(2_000_000_000, 2013), header(64, 9_999), header(64, 2013), unknownFlag]) {
    const wire = await WireClient.open(engine.uri)
    wire.send(junk)
    t.equal(await wire.reply(), undefined)
  }
  const wire = await WireClient.open(engine.uri)
  wire.send(hello)
  t.ok(await wire.reply())
  wire.close()
  t.equal(await db.collection('items').countDocuments(), 1)
})

t.test('a damaged message at most fails or ends its own connection', async t => {
  const { engine, db } = await startEngine(t)
  await db.collection('items').insertOne({ a: 1 })
  const sound = message(7, serialize({ find: 'items', filter: { a: { $in: [1, 'x', null, [2]] } }, sort: { a: 1 }, $db: 'test' }))
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(sound.length - 21), fc.nat(255)), { minLength: 1, maxLength: 4 }), async changes => {
    const bytes = Buffer.from(sound)
    for (const [at, value] of changes) bytes[at + 20] = value
    const wire = await WireClient.open(engine.uri)
    wire.send(bytes)
    wire.socket.end()
    const reply = await wire.reply()
    if (reply !== undefined && reply.readInt32LE(8) !== 7) throw new Error('a reply to something else')
    wire.close()
  }), { numRuns: 300 })
  t.equal(await db.collection('items').countDocuments(), 1)
})

t.test('messages that arrive in pieces or together are read the same', async t => {
  const { engine } = await startEngine(t)
  const wire = await WireClient.open(engine.uri)
  const three = Buffer.concat([1, 2, 3].map(id => message(id, serialize({ ping: 1, $db: 'admin' }))))
  for (const byte of three) {
    wire.send(Buffer.from([byte]))
    await new Promise(resolve => setImmediate(resolve))
  }
  wire.send(three)
  const ids: number[] = []
  for (let i = 0; i < 6; i++) ids.push((await wire.reply())!.readInt32LE(8))
  t.same(ids, [1, 2, 3, 1, 2, 3])
  wire.close()
})

t.test('an OP_QUERY handshake is answered with OP_REPLY', async t => {
  const { engine } = await startEngine(t)
  const wire = await WireClient.open(engine.uri)
  const body = serialize({ isMaster: 1, helloOk: true })
  const head = Buffer.alloc(16 + 4 + 'admin.$cmd'.length + 1 + 8)
  head.writeInt32LE(head.length + body.length, 0)
  head.writeInt32LE(5, 4)
  head.writeInt32LE(2004, 12)
  head.write('admin.$cmd', 20)
  head.writeInt32LE(-1, head.length - 4)
  wire.send(Buffer.concat([head, body]))
  const reply = (await wire.reply())!
  t.equal(reply.readInt32LE(8), 5)
  t.equal(reply.readInt32LE(12), 1, 'OP_REPLY')
  t.equal(reply.readInt32LE(32), 1, 'of one document')
  wire.close()
})

t.test('an unacknowledged write gets no reply, and the next command does', async t => {
  const { engine, db } = await startEngine(t)
  const wire = await WireClient.open(engine.uri, db.databaseName)
  wire.send(message(1, serialize({ insert: 'items', documents: [{ _id: 1 }], writeConcern: { w: 0 }, $db: db.databaseName }), 2))
  t.match(await wire.command({ count: 'items' }), { n: 1 })
  wire.close()
})

t.test('a client that does not read its replies does not delay a stop', async t => {
  const engine = await startEmbeddedMongo({ inMemory: true })
  const [wire, deaf] = await Promise.all([WireClient.open(engine.uri), WireClient.open(engine.uri)])
  t.teardown(() => { deaf.close() })
  await wire.command({ insert: 'items', documents: Array.from({ length: 10 }, () => ({ filler: 'x'.repeat(1_000_000) })) })
  deaf.socket.pause()
  for (let id = 1; id <= 3; id++) deaf.send(message(id, serialize({ find: 'items', $db: 'test' })))
  wire.close()
  await engine.stop()
  t.pass('it has stopped')
})

t.test('commands that a client sent before it disconnected are run, even while the engine stops', async t => {
  const dataDir = temporaryFolder(t)
  const engine = await startEmbeddedMongo({ dataDir })
  const [wire, gone] = await Promise.all([WireClient.open(engine.uri), WireClient.open(engine.uri)])
  await wire.command({ insert: 'items', documents: Array.from({ length: 20_000 }, (_, _id) => ({ _id })) })
  const send = (body: object) => message(1, serialize({ ...body, $db: 'test' }))
  gone.send(Buffer.concat([
    send({ ping: 1 }),
    send({ update: 'items', updates: [{ q: {}, u: { $set: { a: 1 } }, multi: true }] }),
    send({ insert: 'last', documents: [{ _id: 1 }] })
  ]))
  await gone.reply()
  gone.close()
  while ((await wire.command({ serverStatus: 1 })).connections.current > 1);
  wire.close()
  t.equal(await Promise.race([engine.stop(), engine.failed]), undefined)
  const second = await startEmbeddedMongo({ dataDir })
  const reader = await WireClient.open(second.uri)
  t.match([await reader.command({ count: 'items', query: { a: 1 } }), await reader.command({ count: 'last' })], [{ n: 20_000 }, { n: 1 }])
  reader.close()
  await second.stop()
})
