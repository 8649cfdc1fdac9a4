import { hostname } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import { type Config, ConfigError, readConfig } from './src/config.ts'
import { loadDotEnv } from './src/dot-env.ts'
import { newNodeId } from './src/lib/node-id.ts'
import { traceIds } from './src/tracing/tracing.ts'

/** Milliseconds that a shutdown may take before the process is ended. */
const shutdownMsMax = 10_000
/** The same if the database is gone: all that is left to do is to disconnect the clients. */
const failedShutdownMsMax = 3_000

// V8 takes from connections that rest between two requests that what a request allocates lives long, and puts it among
// the old objects from then on: 4 KB of each request, twice the memory, a sixth of a poll's CPU (bench/README.md).
setFlagsFromString('--no-allocation-site-pretenuring')

/** In each line of the log: which process wrote it. In containers, pids and host names repeat. */
const nodeId = newNodeId()
let requests = 0

/** How a terminal shows the log. */
const prettyLines = {
  target: 'pino-pretty', options: { ignore: 'pid,hostname,node', translateTime: 'HH:MM:ss.l' }
}

const endSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const

// Until the server listens, a signal ends the process at once. (As PID 1 of a container it would not end by itself.)
for (const signal of endSignals) process.once(signal, leave)
readDotEnv()
const config = readConfigOrExit()
const app = await buildOrExit(config)
endInOrder(app)
for (const signal of endSignals) process.off(signal, leave)

/**
 * Closes the app on the first signal or failure. Later ones (npm sends a signal twice) do not interrupt the closing.
 */
function endInOrder (app: FastifyInstance): void {
  let isEnding = false
  let exitCode = 0
  const end = async (patienceMs: number, before?: () => Promise<void>): Promise<void> => {
    if (isEnding) return
    isEnding = true
    await before?.()
    setTimeout(() => {
      app.log.fatal('closing takes too long: ending without it')
      process.exit(1)
    }, patienceMs)
    await app.close()
    app.log.info('closed')
    process.exit(exitCode)
  }
  const endFailed = (patienceMs: number): void => {
    exitCode = 1
    void end(patienceMs)
  }
  for (const signal of endSignals) {
    process.on(signal, () => {
      app.log.info({ signal }, isEnding ? 'closing already' : 'closing')
      // What ends a server by plan is SIGTERM; the others are somebody at a terminal.
      void end(shutdownMsMax, signal === 'SIGTERM' ? () => app.drain() : undefined)
    })
  }
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (error: unknown) => {
      app.log.fatal({ err: error }, 'closing after an error that nobody handled')
      endFailed(shutdownMsMax)
    })
  }
  void app.databaseFailed.then(() => { endFailed(failedShutdownMsMax) })
}

function leave (): never {
  process.exit(0)
}

function readDotEnv (): void {
  try {
    loadDotEnv()
  } catch (error) {
    fail(`.env cannot be read: ${(error as Error).message}`)
  }
}

function readConfigOrExit (): Config {
  try {
    return readConfig()
  } catch (error) {
    if (error instanceof ConfigError) return fail(`Configuration: ${error.message}`)
    throw error
  }
}

async function buildOrExit (config: Config): Promise<FastifyInstance> {
  try {
    const app = await buildApp(config, {
      // A request's id in the log is unique over all nodes, and starts.
      genReqId: () => `${nodeId}-${++requests}`,
      logger: {
        level: config.LOG_LEVEL,
        base: { pid: process.pid, hostname: hostname(), node: nodeId },
        mixin: traceIds,
        ...(process.stdout.isTTY ? { transport: prettyLines } : {})
      }
    }, { nodeId })
    await app.listen({ port: config.PORT, host: config.HOST })
    return app
  } catch (error) {
    // An operator can mend these failures (port in use, folder in use, database out of reach): one line, no stack.
    return fail(`Tidelog cannot start: ${(error as Error).message}`)
  }
}

function fail (line: string): never {
  console.error(line)
  process.exit(1)
}
