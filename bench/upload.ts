// npm run bench:upload [-- 200]: a video of so many megabytes over a connection that breaks ten times, to a server that
// is killed twice. It must arrive whole and once, and the server must not hold it in memory.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, openAsBlob, readFileSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../packages/client/src/index.ts'
import { startServer } from '../test/helpers/process.ts'
import { startProxy } from '../test/helpers/tcp-proxy.ts'
import { provenance } from './lib/machine.ts'
import { header } from './lib/table.ts'

const megabytes = Number(process.argv[2] ?? 200)
const size = megabytes * 1_000_000
const breaks = 10
const kills = 2
const password = 'password-1'

const about = provenance('bench:upload')
const folder = mkdtempSync(join(tmpdir(), 'tidelog-bench-upload-'))
const environment = {
  DATA_DIR: join(folder, 'data'),
  FILE_BYTES_MAX: String(size),
  FILES_USER_BYTES_MAX: String(size),
  RATE_LIMIT_REQUESTS: '0'
}
const ends: Array<() => unknown> = []
let server = await startServer(environment)
const { url } = server
try {
  await run()
} finally {
  for (const end of ends.reverse()) await end()
  await server.end('SIGTERM')
  rmSync(folder, { recursive: true })
}

async function run (): Promise<void> {
  const video = join(folder, 'video.mp4')
  const digest = await writeVideo(video)
  const proxy = await startProxy({ teardown: end => { ends.push(end) } }, Number(new URL(url).port))
  const [ada, bob] = [createClient({ url: `http://127.0.0.1:${proxy.port}` }), createClient({ url })]
  ends.push(() => ada.close(), () => bob.close())
  const [, { id: bobId }] = await Promise.all([ada, bob].map((client, index) => {
    const username = `uploader${index}`
    return client.register({ fullName: username, username, email: `${username}@example.org`, password })
  })) as [unknown, { id: string }]
  await Promise.all([ada.start(), bob.start()])

  const memory: Array<{ before: number, peak: number }> = [{ before: rssOf(server.pid), peak: 0 }]
  const sampling = setInterval(() => {
    const held = memory.at(-1)!
    held.peak = Math.max(held.peak, rssOf(server.pid))
  }, 20)
  ends.push(() => { clearInterval(sampling) })
  let broken = 0
  let killed = 0
  let ending: Promise<void> | undefined
  ada.files.progress.subscribe(progress => {
    const [sent = 0] = progress.values()
    if (broken < breaks && sent > (size / (breaks + 1)) * (broken + 1)) {
      broken++
      proxy.mend()
    }
    if (ending === undefined && killed < kills && sent > (size / (kills + 1)) * (killed + 1)) {
      killed++
      ending = restart().finally(() => { ending = undefined })
    }
  })
  async function restart (): Promise<void> {
    await server.end('SIGKILL')
    server = await startServer({ ...environment, PORT: new URL(url).port })
    memory.push({ before: rssOf(server.pid), peak: 0 })
  }

  const began = Date.now()
  const chat = ada.direct(bobId)
  const file = { bytes: await openAsBlob(video), name: 'video.mp4', type: 'video/mp4', size }
  await chat.send('a video', { files: [file] })
  const conversation = bob.conversation(chat.id).timeline({ at: 'newest' })
  const messages = await new Promise<ReadonlyArray<{ attachments: ReadonlyArray<{ id: string }> }>>(resolve => {
    conversation.messages.subscribe(list => { if (list.length > 0) resolve(list) })
  })
  const seconds = (Date.now() - began) / 1_000
  await ending
  clearInterval(sampling)

  const arrived = await digestOf(await fetch(await bob.files.url(messages[0]!.attachments[0]!.id)))
  await bob.sync()
  const stored = readdirSync(join(environment.DATA_DIR, 'files')).length
  console.log(`${header(about)}\n`)
  console.log('| | measured |\n| --- | ---: |')
  const what = `${megabytes} MB over a connection that broke ${broken} times, a server killed ${killed} times`
  tell(what, `${seconds.toFixed(0)} s`)
  tell('messages, files on the server', `${conversation.messages.get().length}, ${stored}`)
  tell('arrived as it was', arrived === digest ? 'yes' : '**no**')
  memory.forEach(({ before, peak }, index) => {
    tell(`memory (RSS) of server ${index + 1}: before, peak`, `${mib(before)}, ${mib(peak)} MiB`)
  })
  const isRight = arrived === digest && conversation.messages.get().length === 1 && stored === 1 &&
    broken === breaks && killed === kills
  if (!isRight) process.exitCode = 1
}

/** A beginning that says mp4, and nothing that could be compressed. @returns its SHA-256 */
async function writeVideo (path: string): Promise<string> {
  const file = await open(path, 'w')
  const hash = createHash('sha256')
  for (let left = size; left > 0;) {
    const bytes = randomBytes(Math.min(left, 1_000_000))
    if (left === size) bytes.write('\0\0\0\u0018ftypisom\0\0\0\0isommp42', 'latin1')
    hash.update(bytes)
    await file.write(bytes)
    left -= bytes.length
  }
  await file.close()
  return hash.digest('hex')
}

async function digestOf (answer: Response): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) hash.update(chunk)
  return hash.digest('hex')
}

/** Bytes that a process has in memory now. */
function rssOf (pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024
  } catch {
    return 0
  }
}

function mib (bytes: number): string {
  return String(Math.round(bytes / 2 ** 20))
}

function tell (what: string, measured: string): void {
  console.log(`| ${what} | ${measured} |`)
}
