// `npm run demo [-- --live]`: starts Tidelog on port 5000 (or PORT) with a believable community, in a folder that is
// deleted at the end. Forty people with portraits have talked for some days: rooms, pictures, replies, edits,
// reactions, mentions. `npm run demo -- <url>` lets them say it all now, at a running server. With --live they go on.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { password } from './demo/api.ts'
import { fill } from './demo/community.ts'
import type { Place } from './demo/fill.ts'
import { startOwnServer } from './demo/own-server.ts'
import { people } from './demo/people.ts'
import type { Talk } from './demo/talk.ts'
import { history } from './demo/weeks.ts'

const args = process.argv.slice(2)
const given = args.find(arg => /^https?:/.test(arg))?.replace(/\/$/, '')
const isLive = args.includes('--live')

try {
  if (given === undefined) await startOwn()
  else await invite(given, await fill(given, { onProgress }))
} catch (error) {
  console.error(`\n${(error as Error).message}`)
  process.exit(1)
}

async function startOwn (): Promise<void> {
  execFileSync(process.execPath, ['scripts/build-web.mjs'], { stdio: 'inherit' })
  const folder = mkdtempSync(join(tmpdir(), 'tidelog-demo-'))
  process.on('exit', () => { rmSync(folder, { recursive: true, force: true }) })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0))
  try {
    const { url, places } = await startOwnServer({ ...process.env, DATA_DIR: folder }, onProgress)
    await invite(url, places)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Error('Another server uses the port: "npm run demo -- http://localhost:5000" fills that one, "PORT=5001 npm run demo" takes another port.', { cause: error })
  }
  console.log('Ctrl+C ends it, and nothing is kept.')
}

/** Prints addresses that sign in, and lets the community talk on if it shall. */
async function invite (url: string, places: Array<[Place, Talk]>): Promise<void> {
  for (const username of ['mara', 'tomas']) {
    console.log(`${people[username] ?? ''}: ${url}/sign-in#username=${username}&password=${password}`)
  }
  if (isLive) void talkOn(places)
}

/** One says something, somewhere, every second or two. */
async function talkOn (places: Array<[Place, Talk]>): Promise<never> {
  console.log('They talk on; Ctrl+C ends it.')
  for (let round = 0; ; round++) {
    const [place, talk] = places[round * 5 % places.length]!
    const lines = history(talk)
    const [, name = '', text = ''] = /^(\w+)(?:<\d+)?: (.*)$/u.exec(lines[round * 3 % lines.length] ?? '') ?? []
    const who = place.voices.get(name)
    if (who !== undefined) await place.say(who, { content: text })
    await new Promise(resolve => setTimeout(resolve, 700 + (round * 389) % 1_600))
  }
}

/** A bar that grows. */
function onProgress (part: number): void {
  if (!process.stdout.isTTY) return
  const filled = Math.round(part * 40)
  const bar = '█'.repeat(filled) + '░'.repeat(40 - filled)
  process.stdout.write(`\r${bar} ${Math.round(part * 100)} %${part === 1 ? '\n' : ''}`)
}
