import { join } from 'node:path'
import { type Benchmark, held } from './lib/benchmark.ts'
import { type Comparison, type Contestant, compare } from './lib/compare.ts'
import { type History, addHistories, addUsers, timeOf, withDatabase } from './lib/database.ts'
import { DirectLoad } from './lib/direct-load.ts'
import { type Request, ask, get, httpLoad, post } from './lib/http-load.ts'
import { people } from './lib/people.ts'
import { type Running, startProduct } from './lib/process.ts'
import { type Place, type View, headsUnchanged, nothingNewByCursor, nothingNewByTime, nothingNewOfAll, pagesByCursor, pagesByTime, status } from './lib/sync-requests.ts'

/** Conversations of the asking user besides the long one, as many in both databases. */
const smallOfOne = 50
const smallMessages = 20

interface Side {
  size: number
  server: Running
  /** Messages of the one long conversation. */
  long: number
}

/**
 * The same requests against a small and a large history at the same time: no cost may grow. Four fifths of the
 * messages are in one conversation of the asking user, the rest in small ones of others.
 */
export const growth: Benchmark = async function * ({ folder, pace: usual, quick, profileDir }) {
  const pace = quick ? usual : { rounds: 5, seconds: 1.5, warmUpSeconds: 1 } // Many comparisons: shorter rounds.
  const large = await prepare(folder, quick ? 100_000 : 1_000_000, profileDir)
  const small = await prepare(folder, 10_000, undefined)
  const sides = [large, small]
  try {
    const [self, other] = people(2) as [ReturnType<typeof people>[number], ReturnType<typeof people>[number]]
    const views = [{ self, other }, { self: other, other: self }]
    const requests: Array<[title: string, make: (side: Side) => Promise<Request[]>, code?: number]> = [
      ['sync-conversation by cursor, nothing new', ({ server, long }) => nothingNewByCursor(server.url, views, timeOf(long))],
      ['sync-conversation by time, nothing new', ({ server, long }) => nothingNewByTime(server.url, views, timeOf(long))],
      ['sync-conversation by cursor, a page of 100', ({ server, long }) => pagesByCursor(server.url, places(views, long))],
      ['sync-conversation by time, a page of 100', ({ server, long }) => pagesByTime(server.url, places(views, long))],
      ['history page of 100, anywhere', ({ server, long }) => checked(server, positions(long).map(position =>
        get(self.token, `/api/messages/${other.id}?limit=100&before=${position + 150}`)))],
      ['sync-status', async () => status([self, other])],
      ['conversation list', ({ server }) => checked(server, [get(self.token, '/api/messages/conversations'), get(other.token, '/api/messages/conversations')])],
      ['the list of every kind', ({ server }) => checked(server, [get(self.token, '/api/conversations?limit=50')])],
      // The stored body differs, so the answer is a mismatch. Finding that out is the same work as for a duplicate.
      ['a send under a clientMessageId that was used long ago', async ({ long }) => positions(long).map(position =>
        post(other.token, '/api/messages', { receiverId: self.id, content: 'again', clientMessageId: `history-${position | 1}` })), 409],
      ['POST /api/sync, nothing new', ({ server }) => nothingNewOfAll(server.url, [self, other])],
      ['GET /api/sync/heads, 304', ({ server }) => headsUnchanged(server.url, [self, other]), 304]
    ]
    for (const [title, make, code] of requests) {
      const contestants: Contestant[] = []
      for (const side of sides) {
        const made = await make(side)
        contestants.push({ name: nameOf(side), pid: side.server.pid, run: seconds => httpLoad(side.server.url, made, seconds, code) })
      }
      yield flat(await compare(`Growth: ${title}`, 'requests', contestants, pace))
    }
    const loads = await Promise.all(sides.map(({ server }) => DirectLoad.open(server.url, 1)))
    yield flat(await compare('Growth: direct messages into the long conversation, 16 on their way', 'messages', sides.map((side, index) =>
      ({ name: nameOf(side), pid: side.server.pid, run: seconds => loads[index]!.closedLoop(16, seconds) })), pace))
    for (const load of loads) load.close()
  } finally {
    for (const { server } of sides) await server.stop()
  }
}

async function prepare (folder: string, size: number, profileDir: string | undefined): Promise<Side> {
  const dataDir = join(folder, `growth-${size}`)
  const long = Math.floor(size * 0.8) - smallOfOne * smallMessages
  const strangers = Math.floor(size * 0.2 / smallMessages)
  const persons = people(2 + smallOfOne + strangers)
  const histories: History[] = [
    { a: persons[0]!, b: persons[1]!, messages: long },
    ...persons.slice(2, 2 + smallOfOne).map(b => ({ a: persons[0]!, b, messages: smallMessages })),
    ...persons.slice(2 + smallOfOne).map((a, index) => ({ a, b: persons[2 + index % smallOfOne]!, messages: smallMessages }))
  ]
  await withDatabase(dataDir, async db => {
    await addUsers(db, persons)
    await addHistories(db, histories)
  })
  // Without search: its index of these messages would be built while others are measured.
  return { size, long, server: await startProduct(dataDir, { profileDir, environment: { SEARCH: 'off' } }) }
}

/** Forty positions in the long conversation, from its beginning to 200 messages before its end, of both members in turn. */
function places (views: readonly View[], long: number): Place[] {
  return positions(long).map((position, index) => ({ ...views[index % views.length]!, after: timeOf(position) }))
}

function positions (long: number): number[] {
  return Array.from({ length: 40 }, (_, index) => 1 + Math.floor(index * (long - 201) / 40))
}

async function checked ({ url }: Running, requests: Request[]): Promise<Request[]> {
  for (const request of requests) await ask(url, request)
  return requests
}

function nameOf ({ size }: Side): string {
  return `Tidelog, ${size.toLocaleString('en-US')} messages`
}

function flat (comparison: Comparison): Comparison {
  return held(comparison, 'at least 80 % of the rate at 10,000 messages', ({ lines }) => lines[1]!.ratio >= 0.8)
}
