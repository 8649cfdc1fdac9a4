import { type Cluster, startCluster } from '../../test/helpers/cluster.ts'
import { freePort } from '../../test/helpers/free-port.ts'
import { type TcpProxy, startDatabaseProxy, startProxy } from '../../test/helpers/tcp-proxy.ts'
import type { Fault } from './faults.ts'
import { unruly } from './unruly.ts'

/** Milliseconds within which a node looks for what it missed while its link was down. */
const lookMs = 1_000

export interface FaultyCluster {
  urls: string[]
  faults: Fault[]
}

/**
 * Starts several nodes on one database and one Redis, each with a proxy to either, so that every fault of SCALE can be
 * made. The first node stays, because the kit's scenes and membership changes go through it.
 */
export async function startFaultyCluster (
  suite: Parameters<typeof startCluster>[0], count: number
): Promise<FaultyCluster> {
  const links: TcpProxy[] = []
  const databases: Array<Awaited<ReturnType<typeof startDatabaseProxy>>> = []
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  let isUnruly = false
  const cluster = await startCluster(suite, count, {
    environment: { DRAIN_SECONDS: '1', RATE_LIMIT_REGISTER: '100000', RATE_LIMIT_INVITATIONS: '0' },
    portOf: index => ports[index]!,
    mongoUrl: async (uri, index) => (databases[index] ??= await startDatabaseProxy(suite, uri)).url,
    redisUrl: async ({ port }, index) => {
      links[index] ??= await startProxy(suite, port, () => ({ down: unruly(() => isUnruly) }))
      return `redis://127.0.0.1:${links[index].port}`
    }
  })
  const { redis, servers, linked } = cluster
  const last = count - 1
  const whole = async () => {
    await linked()
    await new Promise(resolve => { setTimeout(resolve, lookMs) })
  }
  const again = async () => {
    await cluster.start(last)
    await whole()
  }
  return {
    urls: servers.map(({ url }) => url),
    faults: [
      { name: 'Redis is killed', begin: redis.kill, end: async () => { await redis.restart().then(whole) } },
      {
        name: 'the link doubles and reorders',
        begin: async () => { isUnruly = true },
        end: async () => { isUnruly = false }
      },
      {
        name: 'the link of a node is 2 s late',
        begin: async () => { links[1]!.delay(2_000) },
        end: () => mendLink(cluster, links[1]!)
      },
      {
        name: 'a node is cut off from the database',
        begin: async () => { databases[1]!.hang() },
        end: async () => { databases[1]!.resume() }
      },
      { name: 'a node is killed with -9', begin: () => servers[last]!.end('SIGKILL'), end: again },
      { name: 'a node is drained', begin: () => servers[last]!.end('SIGTERM'), end: again }
    ]
  }

  async function mendLink ({ linked }: Cluster, link: TcpProxy): Promise<void> {
    link.delay(0)
    await linked()
    // What is still on its way.
    await new Promise(resolve => { setTimeout(resolve, 2_000) })
  }
}
