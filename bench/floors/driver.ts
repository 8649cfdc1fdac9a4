// Floor: the plain driver on the same engine (in a worker thread of this process, as in the product) and the same rows
// (DATA_DIR is a copy of the product's). One question over IPC is one closed loop: { loop, inFlight, seconds }.
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { MongoClient, ObjectId } from 'mongodb'
import { logCollections } from '../../src/log/model/collections.ts'
import { type LogRow, revOf, seqOf } from '../../src/log/model/types.ts'
import { latencyOf } from '../lib/statistics.ts'

export type Loop = 'insert' | 'head' | 'page'
export interface Question {
  loop: Loop
  inFlight: number
  seconds: number
  /** Conversations to read from. */
  conversations?: string[]
  limit?: number
  /** Highest rev to start a page at. */
  revMax?: number
}

const dataDir = process.env['DATA_DIR']
if (dataDir === undefined) throw new Error('DATA_DIR is not set')
const engine = await startEmbeddedMongo({ dataDir })
const client = await MongoClient.connect(engine.uri, { maxPoolSize: 64, writeConcern: { w: 'majority', journal: true }, readConcern: { level: 'majority' } })
const { heads, rows: log } = logCollections(client.db('tidelog'))
let inserted = 0

/** One operation of a loop: a single durable insert of a message row, a head by its id, or a page of a log by its rev. */
async function operate ({ loop, conversations: ids = [], limit = 100, revMax = 0 }: Question, turn: number): Promise<void> {
  const conversationId = ids[turn % Math.max(1, ids.length)] ?? 'none'
  switch (loop) {
    case 'insert': {
      await log.insertOne(messageRow(++inserted))
      return
    }
    case 'head': {
      if (await heads.findOne({ _id: conversationId }) === null) throw new Error(`There is no head ${conversationId}`)
      return
    }
    case 'page': {
      const after = revOf(turn * 37 % (revMax + 1))
      const rows = await log.find({ conversationId, rev: { $gt: after } }).sort({ rev: 1 }).limit(limit).batchSize(limit + 1).toArray()
      if (rows.length !== limit) throw new Error(`A page has ${rows.length} rows, not ${limit}`)
    }
  }
}

function messageRow (number: number): LogRow {
  const at = new Date()
  return {
    _id: new ObjectId(),
    conversationId: `floor_${process.pid}`,
    rev: revOf(number),
    seq: seqOf(number),
    kind: 'message',
    senderId: new ObjectId(),
    receiverId: new ObjectId(),
    clientMessageId: `floor-${number}`,
    bodyHash: '0123456789abcdef01234567',
    message: 'x'.repeat(100),
    messageType: 'text',
    createdAt: at,
    updatedAt: at
  }
}

async function answer (question: Question) {
  const start = performance.now()
  const end = start + question.seconds * 1_000
  const latencies: number[] = []
  let turn = 0
  await Promise.all(Array.from({ length: question.inFlight }, async () => {
    for (let now = performance.now(); now < end;) {
      await operate(question, turn++)
      const done = performance.now()
      latencies.push(done - now)
      now = done
    }
  }))
  return { operations: latencies.length, seconds: (performance.now() - start) / 1_000, latency: latencyOf(latencies) }
}

process.on('message', question => {
  answer(question as Question).then(result => process.send?.(result), error => {
    console.error(error)
    process.exit(1)
  })
})
process.once('SIGTERM', () => {
  void client.close().then(() => engine.stop()).then(() => process.exit(0))
})
process.send?.({ url: engine.uri })
