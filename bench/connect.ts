import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Benchmark, held } from './lib/benchmark.ts'
import { compare } from './lib/compare.ts'
import { addUsers, withDatabase } from './lib/database.ts'
import { latencyOf } from './lib/statistics.ts'
import { type Person, people } from './lib/people.ts'
import { startFloor, startProduct } from './lib/process.ts'
import { connected, disconnectAll, openSocket } from './lib/sockets.ts'

/** All users connect at once, as after a restart: each has a valid token, and the server has cached none of them. */
export const connect: Benchmark = async function * ({ folder, pace, quick, profileDir }) {
  const persons = people(quick ? 300 : 1_000)
  const dataDir = join(folder, 'connect')
  await withDatabase(dataDir, db => addUsers(db, persons))
  const product = await startProduct(dataDir, { profileDir })
  const floor = await startFloor('socket')
  try {
    yield held(await compare(`Connect storm: ${persons.length} sockets at once`, 'sockets', [
      { name: 'Tidelog: token checked, user read', pid: product.pid, run: () => storm(product.url, persons) },
      { name: 'plain Socket.IO, anybody may', pid: floor.pid, run: () => storm(floor.url, persons) }
    ], pace), '≥ 1,200 sockets/s', ({ lines }) => lines[0]!.perSecond >= 1_200)
  } finally {
    for (const server of [product, floor]) await server.stop()
  }
}

async function storm (url: string, persons: readonly Person[]) {
  const start = performance.now()
  const latencies: number[] = []
  const sockets = persons.map(one => openSocket(url, one))
  await Promise.all(sockets.map(async socket => {
    await connected(socket)
    latencies.push(performance.now() - start)
  }))
  const seconds = (performance.now() - start) / 1_000
  // Closing the sockets costs the server time, which must not count in this round.
  setImmediate(() => { disconnectAll(sockets) })
  await delay(0)
  return { operations: persons.length, seconds, latency: latencyOf(latencies) }
}
