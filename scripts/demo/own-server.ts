import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../../app.ts'
import { readConfig } from '../../src/config.ts'
import { resetClock, setClock } from './clock.ts'
import { fill } from './community.ts'
import type { Place } from './fill.ts'
import type { Talk } from './talk.ts'

/** A server on which the community has talked for some days. */
export interface OwnServer {
  app: FastifyInstance
  url: string
  places: Array<[Place, Talk]>
}

/**
 * Starts it in this process, whose clock goes through those days meanwhile.
 * @param some of these talks alone
 */
export async function startOwnServer (
  environment: Record<string, string | undefined>, onProgress: (part: number) => void, some?: readonly Talk[]
): Promise<OwnServer> {
  const config = readConfig({
    ...environment,
    RATE_LIMIT_REQUESTS: '0',
    RATE_LIMIT_SENDS: '0',
    RATE_LIMIT_REGISTER: '0',
    ACCESS_TOKEN_TTL: String(30 * 24 * 60 * 60)
  })
  const app = await buildApp(config, { logger: { level: 'error' } })
  try {
    await app.listen({ port: config.PORT, host: config.HOST })
    const url = `http://localhost:${(app.server.address() as AddressInfo).port}`
    const places = await fill(url, { onProgress, setClock, ...(some === undefined ? {} : { some }) })
    return { app, url, places }
  } catch (error) {
    await app.close()
    throw error
  } finally {
    resetClock()
  }
}
