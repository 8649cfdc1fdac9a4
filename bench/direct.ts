import { join } from 'node:path'
import { type Benchmark, held } from './lib/benchmark.ts'
import { type Contestant, compare } from './lib/compare.ts'
import { addUsers, withDatabase } from './lib/database.ts'
import { DirectLoad } from './lib/direct-load.ts'
import type { Question } from './floors/driver.ts'
import { people } from './lib/people.ts'
import { startFloor, startProduct } from './lib/process.ts'

const pairs = 50
const pacedPerSecond = 200

/** Direct messages of 50 pairs: sent, stored, acknowledged, received. */
export const direct: Benchmark = async function * ({ folder, pace, profileDir }) {
  const dataDir = join(folder, 'direct')
  await withDatabase(dataDir, db => addUsers(db, people(pairs * 2)))
  const product = await startProduct(dataDir, { profileDir })
  const socketFloor = await startFloor('socket')
  const driverFloor = await startFloor('driver', { DATA_DIR: join(folder, 'direct-floor') })
  const load = await DirectLoad.open(product.url, pairs)
  const floorLoad = await DirectLoad.open(socketFloor.url, pairs)
  try {
    for (const window of [1, 4]) {
      const contestants: Contestant[] = [
        { name: 'Tidelog: acknowledged (on disk) and delivered', pid: product.pid, run: seconds => load.closedLoop(window, seconds) },
        { name: 'plain Socket.IO relay, nothing stored', pid: socketFloor.pid, run: seconds => floorLoad.closedLoop(window, seconds) },
        {
          name: `plain driver, ${pairs * window} durable insertOne in flight`,
          pid: driverFloor.pid,
          run: seconds => driverFloor.ask({ loop: 'insert', inFlight: pairs * window, seconds } satisfies Question)
        }
      ]
      const result = await compare(`Direct messages: ${pairs} pairs, window ${window}`, 'messages', contestants, pace)
      yield window === 4 ? held(result, '≥ 5,000 messages/s', ({ lines }) => lines[0]!.perSecond >= 5_000) : result
    }
    yield held(await compare(`Direct messages: ${pacedPerSecond} a second, open loop, latency of delivery`, 'messages', [
      { name: 'Tidelog', pid: product.pid, run: seconds => load.paced(pacedPerSecond, seconds) },
      { name: 'plain Socket.IO relay, nothing stored', pid: socketFloor.pid, run: seconds => floorLoad.paced(pacedPerSecond, seconds) }
    ], pace), 'delivery p99 ≤ 10 ms', ({ lines }) => lines[0]!.latency!.p99 <= 10)
  } finally {
    load.close()
    floorLoad.close()
    for (const server of [product, socketFloor, driverFloor]) await server.stop()
  }
}
