// `npm run bench:adopt [-- 1000000]`: adopts so many messages of an old backend, and prints the time and memory of each
// step. The old database and the new one are engines on disk, in processes of their own, as an operator runs them.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { type Document, MongoClient, ObjectId } from 'mongodb'

const count = Number(process.argv[2] ?? 1_000_000)
const users = Math.max(10, Math.round(Math.sqrt(count)))
const atOnce = 10_000
const folder = mkdtempSync(join(tmpdir(), 'tidelog-adopt-'))
const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0')
const messageId = (number: number) => new ObjectId(hex(number, 24))
const userId = (number: number) => new ObjectId(`f${hex(number, 23)}`)

const engine = await startEmbeddedMongo({ dataDir: join(folder, 'old'), port: 0 })
const from = engine.uri.replace('/?', '/chat?')
await timed('the old backend is filled', fill)
await timed('adopt --dry-run', () => adopt('--dry-run'))
await timed('adopt', () => adopt())
await timed('adopt again, with nothing new', () => adopt())
await timed('adopt --final', () => adopt('--final'))
await timed('doctor', () => run('doctor.ts'))
await engine.stop()
rmSync(folder, { recursive: true })

async function fill (): Promise<number> {
  const client = await MongoClient.connect(from)
  const db = client.db()
  await db.collection<Document>('users').insertMany(Array.from({ length: users }, (_, number) => {
    const username = `user${number}`
    return { _id: userId(number), fullName: `User ${number}`, username, email: `${username}@example.org` }
  }))
  const start = Date.parse('2020-01-01T00:00:00.000Z')
  for (let first = 0; first < count; first += atOnce) {
    await db.collection<Document>('directmessages').insertMany(Array.from({ length: atOnce }, (_, index) => {
      const number = first + index
      const sender = number % users
      const createdAt = new Date(start + Math.floor(number / 2) * 1_000)
      return {
        _id: messageId(number + 1),
        senderId: userId(sender),
        receiverId: userId((sender + 1 + Math.floor(number / users) % 20) % users),
        message: `message number ${number}, of a usual length for a chat`,
        messageType: number % 50 === 0 ? 'poll' : 'text',
        isRead: number % 3 > 0,
        ...(number % 40 === 0 ? { isDeleted: true } : {}),
        createdAt,
        updatedAt: new Date(createdAt.getTime() + (number % 7 === 0 ? 3_600_000 : 0)),
        __v: 0
      }
    }))
  }
  await client.close()
  return 0
}

function adopt (...mode: string[]): Promise<number> {
  return run('adopt.ts', '--from', from, ...mode)
}

/**
 * Runs a script on the new database.
 * @returns the most memory of its own that it held, in MiB. Pages of the database's file are left out: the system may
 * take them back at any time, and keeps as many as it has room for.
 */
async function run (script: string, ...args: string[]): Promise<number> {
  const given = ['--import', 'tsx', '--conditions=@tidelog/source', `scripts/${script}`, ...args]
  const child = spawn(process.execPath, given, {
    env: { ...process.env, DATA_DIR: join(folder, 'new'), MONGODB_URL: '' }, stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  child.stdout.on('data', chunk => { output += String(chunk) })
  let mebibytes = 0
  const timer = setInterval(() => { mebibytes = Math.max(mebibytes, privateOf(child)) }, 200)
  const [code] = await once(child, 'exit') as [number]
  clearInterval(timer)
  if (code !== 0) throw new Error(`${script} ended with ${code}`)
  const lines = output.split('\n').filter(line => line !== '' && !line.startsWith('…'))
  console.log(lines.map(line => `    ${line}`).join('\n'))
  return mebibytes
}

/** Only Linux tells it. */
function privateOf ({ pid }: ChildProcess): number {
  try {
    const [, kibibytes = '0'] = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kibibytes) / 1024
  } catch {
    return 0
  }
}

async function timed (title: string, work: () => Promise<number>): Promise<void> {
  const began = performance.now()
  const mebibytes = await work()
  const memory = mebibytes > 0 ? `, ${Math.round(mebibytes)} MiB` : ''
  console.log(`${title}: ${((performance.now() - began) / 1_000).toFixed(1)} s${memory}`)
}
