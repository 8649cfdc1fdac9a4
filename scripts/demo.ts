// Fills a server with a believable community through its public API: forty people with portraits, rooms, talks with
// pictures, replies, edits, reactions and mentions. `npm run demo [-- <url>] [--live]`; with --live they talk on until
// you end it.
import { type Voice, password, voice } from './demo/api.ts'
import { commonPlace, countLines, dress, type Place, placeOf, tell } from './demo/fill.ts'
import { people } from './demo/people.ts'
import { common, type Talk, talks } from './demo/talk.ts'
import { history } from './demo/weeks.ts'

const args = process.argv.slice(2)
const isLive = args.includes('--live')
const url = (args.find(arg => /^https?:/.test(arg)) ?? `http://127.0.0.1:${process.env['PORT'] ?? 5000}`).replace(/\/$/, '')

try {
  await run()
} catch (error) {
  console.error(`\n${(error as Error).message}`)
  process.exitCode = 1
}

async function run (): Promise<void> {
  const names = Object.entries(people)
  const bar = progress(names.length + countLines(talks))
  const voices = new Map<string, Voice>()
  await inParallel(names, 4, async ([username, fullName]) => {
    const who = await voice(url, username, fullName)
    await dress(who)
    voices.set(username, who)
    bar()
  })
  const places: Array<[Place, Talk]> = []
  await inParallel(talks, 4, async talk => {
    const place = await placeOf(talk, voices)
    places.push([place, talk])
    await tell(place, talk, bar)
  })
  await tell(commonPlace(voices), { lines: common }, bar)
  process.stdout.write('\n')
  for (const username of ['mara', 'tomas']) {
    console.log(`${people[username] ?? ''}: ${url}/sign-in#username=${username}&password=${password}`)
  }
  if (isLive) await talkOn(places)
}

/** One says something, somewhere, every second or two; typing first, as people do. */
async function talkOn (places: Array<[Place, Talk]>): Promise<never> {
  console.log('They talk on; Ctrl+C ends it.')
  for (let round = 0; ; round++) {
    const [place, talk] = places[round * 5 % places.length] ?? places[0] ?? []
    if (place === undefined || talk === undefined) throw new Error('nobody is there')
    const lines = history(talk)
    const [, name = '', text = ''] = /^(\w+)(?:<\d+)?: (.*)$/u.exec(lines[round * 3 % lines.length] ?? '') ?? []
    const who = place.voices.get(name)
    if (who !== undefined) await place.say(who, { content: text })
    await new Promise(resolve => setTimeout(resolve, 700 + (round * 389) % 1_600))
  }
}

async function inParallel<T> (items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  await Promise.all(Array.from({ length: width }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }))
}

/** A bar that grows at each call. */
function progress (total: number): () => void {
  let done = 0
  return () => {
    done = Math.min(done + 1, total)
    const filled = Math.round(done / total * 40)
    if (!process.stdout.isTTY) return
    process.stdout.write(`\r${'█'.repeat(filled)}${'░'.repeat(40 - filled)} ${Math.round(done / total * 100)} %`)
  }
}
