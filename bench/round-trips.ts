// `npm run bench:round-trips [-- --messages 300]`: what the distance to the database costs one operation at a time. A
// compiled node on a database in another process, behind a proxy that is late by 0, 1 and 10 ms each way, beside a node
// with the engine inside. Prints the commands of an operation (those for its live event among them), for how many
// replies its acknowledgement waits one after the other, and how long that takes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { MongoClient } from 'mongodb'
import type { Socket } from 'socket.io-client'
import { startEngine } from './lib/cluster.ts'
import { startCountingProxy } from './lib/counting-proxy.ts'
import { addUsers, withDatabase } from './lib/database.ts'
import { provenance } from './lib/machine.ts'
import { people, person } from './lib/people.ts'
import { type Running, startProduct } from './lib/process.ts'
import { connectAll, disconnectAll } from './lib/sockets.ts'
import { latencyOf } from './lib/statistics.ts'

const { values } = parseArgs({ options: { messages: { type: 'string', default: '300' } } })
/** So many operations of each kind, one place after the other, so that other work affects all places alike. */
const atOnce = 25
const messages = Math.ceil(Number(values.messages) / atOnce) * atOnce
const lateMs = [0, 1, 10]
/** The first messages to as many users, for each place behind the proxy. */
const usersNeeded = messages * lateMs.length + 2
const { commit, machine, date, loadBefore } = provenance('bench:round-trips')
console.log(`${commit}, ${machine}, load average ${loadBefore}, ${date}\n`)

const folder = mkdtempSync(join(tmpdir(), 'tidelog-round-trips-'))
const { engine, uri } = await startEngine(join(folder, 'engine'))
// It ends with the process.
const proxy = await startCountingProxy({ teardown: () => {} }, uri)
const client = await MongoClient.connect(uri)
await addUsers(client.db('tidelog'), people(usersNeeded))
await client.close()
await withDatabase(join(folder, 'alone'), db => addUsers(db, people(usersNeeded)))
// The index of words follows the log after the acknowledgement: nobody waits for its commands.
const environment = { SEARCH: 'off' }
const behind = await startProduct(join(folder, 'behind'), {
  environment: { ...environment, MONGODB_URL: proxy.url }
})
const alone = await startProduct(join(folder, 'alone'), { environment })

type Operation = (number: number) => Promise<void>

const [near, far] = [await user(alone), await user(behind)]
console.log('| operation | commands | round trips | engine inside: p50 ms | p99 ms | ' +
  lateMs.map(ms => `${ms} ms each way: p50 ms | p99 ms`).join(' | ') + ' |')
console.log(`| --- | --- | ---: ${'| ---: | ---: '.repeat(lateMs.length + 1)}|`)
for (const name of Object.keys(near.operations)) await measure(name)
for (const { socket } of [near, far]) disconnectAll([socket])
await Promise.all([behind.stop(), alone.stop()])
engine.kill('SIGKILL')
rmSync(folder, { recursive: true })
process.exit(0)

async function measure (name: string): Promise<void> {
  const inside: number[] = []
  const late = lateMs.map((): number[] => [])
  const commands = new Map<string, number>()
  for (let first = 0; first < messages; first += atOnce) {
    await timed(near.operations[name]!, first, inside)
    for (const [index, ms] of lateMs.entries()) {
      proxy.delay(ms)
      await delay(50)
      proxy.take()
      await timed(far.operations[name]!, first, late[index]!)
      for (const [command, count] of proxy.take()) commands.set(command, (commands.get(command) ?? 0) + count)
    }
  }
  const operations = late.reduce((sum, { length }) => sum + length, 0)
  const counted = [...commands].filter(([, count]) => count > operations / 20)
    .map(([command, count]) => `${(count / operations).toFixed(1).replace('.0', '')} ${command}`)
  const [none, , most] = late.map(millis => latencyOf(millis).p50) as [number, number, number]
  const trips = (most - none) / (2 * lateMs.at(-1)!)
  const cells = [inside, ...late].flatMap(millis => [latencyOf(millis).p50, latencyOf(millis).p99])
  const figures = [trips, ...cells].map(value => value.toFixed(1)).join(' | ')
  console.log(`| ${name} | ${counted.join(', ')} | ${figures} |`)
}

async function timed (operation: Operation, first: number, millis: number[]): Promise<void> {
  for (let number = first; number < first + atOnce; number++) {
    const began = performance.now()
    await operation(number)
    millis.push(performance.now() - began)
  }
}

/** A user of a node, and what the user does. */
async function user ({ url }: Running): Promise<{ socket: Socket, operations: Record<string, Operation> }> {
  const [socket] = await connectAll(url, [person(0)]) as [Socket]
  const roomId = 'round-trips'
  const sent: string[] = []
  const ask = async (event: string, body: object | string) => {
    const answer = await socket.emitWithAck(event, body) as { success: boolean, message?: { _id: string } }
    if (!answer.success) throw new Error(`${event} was refused: ${JSON.stringify(answer)}`)
    return answer
  }
  const direct = async (receiver: number, number: number) => {
    const clientMessageId = `to-${receiver}-${number}-${performance.now()}`
    await ask('sendDirectMessage', { receiverId: person(receiver).id, content: `message ${number}`, clientMessageId })
  }
  await ask('joinRoom', roomId)
  await direct(1, 0)
  // The node behind the proxy is measured once for each delay: every turn needs its own message.
  let [opened, edited, reacted, read] = [1, 0, 0, 0]
  return {
    socket,
    operations: {
      'the first message to a user': async () => { await direct(++opened, 0) },
      'a direct message': async number => { await direct(1, number) },
      'a room message': async number => {
        const { message } = await ask('sendRoomMessage', { roomId, content: `message ${number}` })
        sent.push(message!._id)
      },
      'an edit': async () => {
        await ask('editMessage', { messageId: sent[edited++], content: 'edited' })
      },
      'a reaction': async () => {
        await ask('react', { messageId: sent[reacted++], emoji: '👍', on: true })
      },
      'a read position': async () => {
        await ask('markRead', { conversationId: `room_${roomId}`, seq: ++read })
      }
    }
  }
}
