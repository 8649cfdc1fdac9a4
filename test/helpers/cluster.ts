import { join } from 'node:path'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { type TestRedis, startRedis } from './redis.ts'
import { type ServerProcess, startServer } from './process.ts'
import { type Registered, register } from './register.ts'
import { type Answer, call } from './request.ts'

/** Servers in processes of their own, on one database and one Redis. */
export interface Cluster {
  servers: ServerProcess[]
  redis: TestRedis
  call: (server: { url: string }, method: string, path: string, token?: string, body?: object) => Promise<Answer>
  register: (username: string) => Promise<Registered>
  /** Starts another server, or one that has ended again. */
  start: (index?: number) => Promise<ServerProcess>
  /** Resolves when every server that runs hears the others. */
  linked: () => Promise<void>
}

interface Suite {
  testdir: (fixture: { engine: Record<string, never> }) => string
  teardown: (end: () => unknown) => void
}

interface ClusterOptions {
  environment?: Record<string, string>
  /** The Redis of each server, if it is another one (a proxy in front of it). */
  redisUrl?: (redis: TestRedis, index: number) => Promise<string>
  /** The database of each server, if there is a proxy in front of it. */
  mongoUrl?: (uri: string, index: number) => Promise<string>
  portOf?: (index: number) => number
}

export async function startCluster (
  t: Suite, count: number, { environment = {}, redisUrl, mongoUrl, portOf = () => 0 }: ClusterOptions = {}
): Promise<Cluster> {
  const servers: ServerProcess[] = []
  let stopEngine = async () => {}
  // Registered before the folder is created, in one piece: the servers end, then their database, then tap deletes it.
  t.teardown(async () => {
    await Promise.all(servers.map(async ({ child, end }) => {
      if (child.exitCode === null && child.signalCode === null) await end('SIGKILL')
    }))
    await stopEngine()
  })
  const folder = t.testdir({ engine: {} })
  // A proxy needs a TCP port.
  const onTcp = mongoUrl === undefined ? {} : { port: 0 }
  const engine = await startEmbeddedMongo({ dataDir: join(folder, 'engine'), ...onTcp })
  stopEngine = () => engine.stop()
  const redis = await startRedis(t)

  async function start (index = servers.length): Promise<ServerProcess> {
    const server = await startServer({
      MONGODB_URL: await mongoUrl?.(engine.uri, index) ?? engine.uri,
      REDIS_URL: await redisUrl?.(redis, index) ?? redis.url,
      JWT_SECRET: 'a secret of sixteen characters',
      DATA_DIR: folder,
      DRAIN_DELAY: '0',
      PORT: String(portOf(index)),
      ...environment
    })
    servers[index] = server
    return server
  }

  const callOn: Cluster['call'] = (at, method, path, token, body) => call(at, method, path, { token, body })
  async function linked (): Promise<void> {
    for (const server of servers) {
      if (server.child.exitCode !== null || server.child.signalCode !== null) continue
      while ((await call(server, 'GET', '/health/ready')).body.link !== 'up') {
        await new Promise(resolve => { setTimeout(resolve, 50) })
      }
    }
  }
  // One after the other: the first one creates the indexes.
  while (servers.length < count) await start()
  await linked()
  return {
    servers, redis, call: callOn, register: username => register(servers[0]!.url, username), start, linked
  }
}
