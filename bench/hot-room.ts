import { join } from 'node:path'
import { type Benchmark, held } from './lib/benchmark.ts'
import { compare } from './lib/compare.ts'
import { addUsers, withDatabase } from './lib/database.ts'
import { HotRoomLoad } from './lib/hot-room-load.ts'
import { people } from './lib/people.ts'
import { startFloor, startProduct } from './lib/process.ts'

const writers = 50
const listeners = 100
const window = 2
const pacedPerSecond = 3_000

/** Messages in a room with 50 writers and 100 listeners. */
export const hotRoom: Benchmark = async function * ({ folder, pace, profileDir }) {
  const dataDir = join(folder, 'hot-room')
  await withDatabase(dataDir, db => addUsers(db, people(writers + listeners)))
  const product = await startProduct(dataDir, { profileDir })
  const floor = await startFloor('socket')
  const load = await HotRoomLoad.open(product.url, writers, listeners)
  const floorLoad = await HotRoomLoad.open(floor.url, writers, listeners)
  try {
    yield held(await compare(`Hot room: ${writers} writers with ${window} messages on their way, ${listeners} listeners`, 'messages', [
      { name: 'Tidelog: acknowledged (on disk), then delivered', pid: product.pid, run: seconds => load.closedLoop(window, seconds) },
      { name: 'plain Socket.IO broadcast, nothing stored', pid: floor.pid, run: seconds => floorLoad.closedLoop(window, seconds) }
    ], pace), '≥ 3,000 messages/s', ({ lines }) => lines[0]!.perSecond >= 3_000)
    if (profileDir !== undefined) return
    yield held(await compare(`Hot room: ${pacedPerSecond} messages a second, open loop, latency of the acknowledgement`, 'messages', [
      { name: 'Tidelog', pid: product.pid, run: seconds => load.paced(pacedPerSecond, seconds) },
      { name: 'plain Socket.IO broadcast, nothing stored', pid: floor.pid, run: seconds => floorLoad.paced(pacedPerSecond, seconds) }
    ], pace), 'acknowledgement p99 ≤ 50 ms', ({ lines }) => lines[0]!.latency!.p99 <= 50)
  } finally {
    load.close()
    floorLoad.close()
    for (const server of [product, floor]) await server.stop()
  }
}
