import { join } from 'node:path'
import { type Benchmark, held } from './lib/benchmark.ts'
import { compare } from './lib/compare.ts'
import { addUsers, withDatabase } from './lib/database.ts'
import { FanOutLoad } from './lib/fan-out-load.ts'
import { people } from './lib/people.ts'
import { startFloor, startProduct } from './lib/process.ts'

const sockets = 200
const senders = 8
const window = 4

/** Deliveries in a room of 200 sockets, eight of which send. */
export const fanOut: Benchmark = async function * ({ folder, pace, profileDir }) {
  const dataDir = join(folder, 'fan-out')
  await withDatabase(dataDir, db => addUsers(db, people(sockets)))
  const product = await startProduct(dataDir, { profileDir })
  const floor = await startFloor('socket')
  const load = await FanOutLoad.open(product.url, sockets)
  const floorLoad = await FanOutLoad.open(floor.url, sockets)
  try {
    yield held(await compare(`Fan-out: 1 room, ${sockets} sockets, ${senders} senders with ${window} messages on their way`, 'deliveries', [
      { name: 'Tidelog: stored, then delivered', pid: product.pid, run: seconds => load.closedLoop(senders, window, seconds) },
      { name: 'plain Socket.IO broadcast, nothing stored', pid: floor.pid, run: seconds => floorLoad.closedLoop(senders, window, seconds) }
    ], pace), '≥ 90 % of plain Socket.IO', ({ lines }) => lines[1]!.ratio >= 0.9)
  } finally {
    load.close()
    floorLoad.close()
    for (const server of [product, floor]) await server.stop()
  }
}
