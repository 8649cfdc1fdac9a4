import { type Voice, voice } from './api.ts'
import { dress, ownLines, type Place, placeOf, type Step, stepsOf } from './fill.ts'
import { people } from './people.ts'
import { type Talk, talks } from './talk.ts'
import { timesOf } from './times.ts'

interface Options {
  /** Called with the part that is done, from 0 to 1. */
  onProgress: (part: number) => void
  /** Sets the server's clock, in milliseconds since 1970. Without it everything is said now. */
  setClock?: (ms: number) => void
  /** Default: all talks. */
  some?: readonly Talk[]
}

const day = 24 * 60 * 60_000

/** Lets the community sign up, make rooms and say everything. @returns where, and what */
export async function fill (
  url: string, { onProgress, setClock, some = talks }: Options
): Promise<Array<[Place, Talk]>> {
  const nowMs = Date.now()
  // Before the first line of each talk.
  setClock?.(nowMs - 12 * day)
  const voices = new Map<string, Voice>()
  const names = new Set(some.flatMap(talk => talk.with ?? talk.members ?? Object.keys(people)))
  await inParallel([...names], 4, async username => {
    const who = await voice(url, username, people[username]!)
    await dress(who)
    voices.set(username, who)
  })
  const places: Array<[Place, Talk]> = []
  for (const talk of some) places.push([await placeOf(talk, voices), talk])

  const steps = places.map(([place, talk]) => stepsOf(place, talk))
  const count = steps.flat().length
  let done = 0
  const take = async (step: Step) => {
    await step()
    onProgress(++done / count)
  }
  if (setClock === undefined) {
    await inParallel(steps, 4, async own => { for (const step of own) await take(step) })
    return places
  }
  const timed = steps.flatMap((own, at) => {
    const ownCount = ownLines(places[at]![1]).length
    const times = timesOf(at, own.length - ownCount, ownCount, nowMs)
    return own.map((step, line) => ({ step, ms: times[line]! }))
  })
  for (const { step, ms } of timed.sort((a, b) => a.ms - b.ms)) {
    setClock(ms)
    await take(step)
  }
  return places
}

async function inParallel<T> (items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  await Promise.all(Array.from({ length: width }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }))
}
