import { join } from 'node:path'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../../app.ts'
import { readConfig } from '../../src/config.ts'
import { beatsWhenAsked } from './beats.ts'
import { type Bus, type BusLink, makeBus } from './bus.ts'
import { type Registered, register } from './register.ts'
import { type Answer, call } from './request.ts'

/** One of several nodes. */
export interface TestNode {
  app: FastifyInstance
  url: string
  link: BusLink
  /** Makes a heartbeat. No other heartbeats happen. */
  beat: () => Promise<void>
}

export interface TestNodes {
  bus: Bus
  nodes: TestNode[]
  /** For a server in a process of its own, on the same database and files. */
  environment: Record<string, string>
  call: (node: TestNode, method: string, path: string, token?: string, body?: object) => Promise<Answer>
  /** Registers an account on the first node. */
  register: (username: string) => Promise<Registered>
}

interface Suite {
  testdir: (fixture: { engine: Record<string, never> }) => string
  teardown: (end: () => Promise<unknown>) => void
}

/**
 * Several nodes on one database that they take for a MongoDB. A bus instead of a Redis links them.
 * @param environment of each node: one with a REDIS_URL is not on the bus
 */
export async function startNodes (
  t: Suite, count: number, environment: (index: number) => Record<string, string> = () => ({})
): Promise<TestNodes> {
  const bus = makeBus()
  const nodes: TestNode[] = []
  let stopEngine = async () => {}
  // Registered before the folder is created, in one piece: the nodes close, then their database, then tap deletes the
  // folder.
  t.teardown(async () => {
    await Promise.all(nodes.map(({ app }) => app.close()))
    await stopEngine()
  })
  const folder = t.testdir({ engine: {} })
  const engine = await startEmbeddedMongo({ dataDir: join(folder, 'engine') })
  stopEngine = () => engine.stop()
  const shared = { MONGODB_URL: engine.uri, DATA_DIR: folder, JWT_SECRET: 'a secret of sixteen characters' }
  while (nodes.length < count) {
    const link = bus.newLink()
    const given = environment(nodes.length)
    const config = readConfig({
      ...shared,
      LOG_LEVEL: 'silent',
      RATE_LIMIT_SENDS: '0',
      ...given
    })
    const app = await buildApp(config, {}, { link: config.REDIS_URL === '' ? link : undefined })
    const beat = beatsWhenAsked(app)
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    // Before that a node says nothing.
    if (config.REDIS_URL === '' && !app.nodes.isUp) await new Promise<void>(resolve => { app.nodes.onUp(resolve) })
    nodes.push({ app, link, url, beat })
  }

  const callOn: TestNodes['call'] = (at, method, path, token, body) => call(at, method, path, { token, body })
  return { bus, nodes, environment: shared, call: callOn, register: username => register(nodes[0]!.url, username) }
}
