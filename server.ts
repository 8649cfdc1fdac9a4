import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import { type Config, ConfigError, readConfig } from './src/config.ts'

/** Milliseconds that a shutdown may take before the process ends without it. */
const shutdownMsMax = 10_000

loadDotEnv()
const config = readConfigOrExit()
const app = await buildOrExit(config)
closeWithGrace({ delay: shutdownMsMax, logger: app.log }, async ({ signal, err }) => {
  if (err !== undefined) app.log.fatal({ err }, 'closing after an error that nobody handled')
  else app.log.info({ signal }, 'closing')
  await app.close()
  app.log.info('closed')
})

function loadDotEnv (): void {
  try {
    process.loadEnvFile()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') fail(`.env cannot be read: ${(error as Error).message}`)
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
      logger: {
        level: config.LOG_LEVEL,
        ...(process.stdout.isTTY ? { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' } } } : {})
      }
    })
    await app.listen({ port: config.PORT, host: config.HOST })
    return app
  } catch (error) {
    // What an operator can mend (a port in use, a folder in use, a database out of reach) is one line, not a stack.
    return fail(`Tidelog cannot start: ${(error as Error).message}`)
  }
}

function fail (line: string): never {
  console.error(line)
  process.exit(1)
}
