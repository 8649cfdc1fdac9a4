import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { MongoClient } from 'mongodb'
import { freePort } from '../../test/helpers/free-port.ts'
import { addUsers } from './database.ts'
import { people } from './people.ts'
import { type Running, startProduct } from './process.ts'

const program = '/usr/bin/redis-server'

/** Compiled nodes on one Redis and one database: the engine, in a process of its own. */
export interface BenchCluster {
  nodes: Running[]
  redisPid: number
  databasePid: number
  /** Starts a node again that has ended, at the same address. */
  restart: (index: number) => Promise<void>
  stop: () => Promise<void>
}

export async function startBenchCluster (folder: string, count: number, users: number): Promise<BenchCluster> {
  if (!existsSync(program)) throw new Error(`${program} is not installed`)
  const redisPort = await freePort()
  const given = ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const redis = spawn(program, given, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: redis.stdout })) if (line.includes('Ready to accept')) break
  redis.stdout.resume()
  const { engine, uri } = await startEngine(join(folder, 'engine'))
  const client = await MongoClient.connect(uri)
  await addUsers(client.db('tidelog'), people(users))
  await client.close()
  const environment = {
    MONGODB_URL: uri,
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    METRICS_NETWORKS: 'loopback',
    DRAIN_DELAY: '0',
    DRAIN_SECONDS: '5'
  }
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  const start = async (index: number) => {
    return await startProduct(join(folder, `node-${index}`), { environment, port: ports[index]! })
  }
  const nodes: Running[] = []
  for (let index = 0; index < count; index++) nodes.push(await start(index))
  const restart = async (index: number) => {
    await nodes[index]!.stop()
    nodes[index] = await start(index)
  }
  const stop = async () => {
    await Promise.all(nodes.map(async node => { await node.stop() }))
    for (const child of [redis, engine]) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  }
  return { nodes, redisPid: redis.pid!, databasePid: engine.pid!, restart, stop }
}

/** The engine as a database server of its own, which several nodes can use. */
export async function startEngine (dataDir: string): Promise<{ engine: ChildProcess, uri: string }> {
  const engine = spawn(process.execPath, ['--import', 'tsx', import.meta.filename, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const [uri] = await once(createInterface({ input: engine.stdout }), 'line') as [string]
  return { engine, uri }
}

if (process.argv[1] === import.meta.filename) {
  const { uri } = await startEmbeddedMongo({ dataDir: process.argv[2]!, port: 0 })
  console.log(uri)
  // The engine's worker does not keep the process alive.
  setInterval(() => {}, 60_000)
}
