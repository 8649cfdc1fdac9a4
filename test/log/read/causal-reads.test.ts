import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { MongoClient, ObjectId, type ServerHeartbeatSucceededEvent, Timestamp } from 'mongodb'
import t from 'tap'
import { readCausally } from '../../../src/log/read/causal-reads.ts'
import { scanLog } from '../../../src/log/read/scan.ts'

const engine = await startEmbeddedMongo({ inMemory: true, port: 0 })
t.teardown(() => engine.stop())
/** The operation time of the replies, in seconds. */
let clock = 1
const client = await MongoClient.connect(await timedProxy(engine.uri), {
  readConcern: { level: 'majority' }, writeConcern: { w: 'majority' }, monitorCommands: true
})
t.teardown(() => client.close())
readCausally(client)
/** What each command has asked for. */
const asked: Array<[string, unknown]> = []
client.on('commandStarted', ({ commandName, command }) => { asked.push([commandName, command['readConcern']]) })
const rows = client.db('test').collection('log')

const after = (seconds: number) => ({ level: 'majority', afterClusterTime: new Timestamp({ t: seconds, i: 1 }) })

/** Reads, and returns the time that the read has named. */
async function timeOfRead (): Promise<number | undefined> {
  asked.length = 0
  await rows.findOne({})
  return (asked[0]![1] as { afterClusterTime?: Timestamp }).afterClusterTime?.t
}

t.test('I3: each read names the time of the latest reply, in whatever way it reads', async t => {
  t.equal(await timeOfRead(), undefined, 'nothing is known')
  clock = 5
  t.equal(await timeOfRead(), 1)
  asked.length = 0
  await rows.find({}).toArray()
  await rows.countDocuments({})
  await scanLog(rows as never, { filter: {}, sort: { _id: 1 }, hint: '_id_', limit: 1 })
  t.same(asked, [['find', after(5)], ['aggregate', after(5)], ['find', after(5)]])
})

t.test('an older reply takes nothing back', async t => {
  clock = 3
  await rows.findOne({})
  t.equal(await timeOfRead(), 5)
})

t.test('a transaction counts when it is committed, not before', async t => {
  const session = client.startSession()
  session.startTransaction()
  clock = 10
  await rows.insertOne({ a: 1 }, { session })
  clock = 6
  await rows.findOne({})
  t.equal(await timeOfRead(), 6, 'who else reads does not wait for what is not committed')
  clock = 12
  await session.commitTransaction()
  t.equal(session.operationTime?.t, 12)
  t.equal(await timeOfRead(), 12)
  await session.endSession()
})

t.test('a time that a session is told counts for all', async t => {
  const session = client.startSession()
  session.advanceOperationTime(new Timestamp({ t: 20, i: 1 }))
  await session.endSession()
  t.equal(await timeOfRead(), 20)
})

t.test('I3: the last write of a new leader counts, and what it writes later does not', async t => {
  const hello = (term: number, seconds: number, isWritablePrimary = true) => {
    const electionId = new ObjectId(`7fffffff${String(term).padStart(16, '0')}`)
    const ts = new Timestamp({ t: seconds, i: 1 })
    const reply = { isWritablePrimary, electionId, lastWrite: { opTime: { ts } } }
    const event = { reply } as Partial<ServerHeartbeatSucceededEvent>
    client.emit('serverHeartbeatSucceeded', event as ServerHeartbeatSucceededEvent)
  }
  hello(1, 30)
  t.equal(await timeOfRead(), 30)
  hello(1, 31)
  t.equal(await timeOfRead(), 30, 'a majority may not have it')
  hello(2, 32, false)
  t.equal(await timeOfRead(), 30, 'it does not lead yet')
  hello(2, 33)
  t.equal(await timeOfRead(), 33)
})

/** A proxy that adds an operation time to each reply, as a database with several members does. */
async function timedProxy (uri: string): Promise<string> {
  const port = Number(/:(\d+)\//.exec(uri)![1])
  const server = createServer(socket => {
    const database = connect(port, '127.0.0.1')
    const end = () => {
      socket.destroy()
      database.destroy()
    }
    for (const one of [socket, database]) one.on('error', () => {}).on('close', end)
    socket.pipe(database)
    let bytes = Buffer.alloc(0)
    database.on('data', chunk => {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 4 && bytes.length >= bytes.readInt32LE(0)) {
        const length = bytes.readInt32LE(0)
        socket.write(timed(bytes.subarray(0, length)))
        bytes = bytes.subarray(length)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  return `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/?directConnection=true`
}

/** An OP_MSG of one document, with another field at the document's end. */
function timed (message: Buffer): Buffer {
  if (message.readInt32LE(12) !== 2013) return message
  const field = Buffer.from('\x11operationTime\0\0\0\0\0\0\0\0\0\0', 'latin1')
  field.writeUInt32LE(1, field.length - 9)
  field.writeUInt32LE(clock, field.length - 5)
  const longer = Buffer.concat([message.subarray(0, -1), field])
  longer.writeInt32LE(longer.length, 0)
  longer.writeInt32LE(longer.length - 21, 21)
  return longer
}
