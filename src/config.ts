import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { envSchema } from 'env-schema'
import { type Trust, parseTrust } from './addresses.ts'
import { parseMediaTypes, parseNamedOrigins, parseOrigins, valueChecks } from './config-values.ts'
import { operationsMax } from './schemas/push.ts'

const seconds = (description: string, value: number) =>
  Type.Integer({ default: value, minimum: 1, maximum: 10 * 365 * 86_400, description: `${description}, in seconds` })

const limit = (description: string, value: number) =>
  Type.Integer({ default: value, minimum: 0, maximum: 1_000_000_000, description: `${description}; 0 turns it off` })

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** Every environment variable, with its default and description. `.env.example` and the docs are made from it. */
export const configSchema = Type.Object({
  NODE_ENV: Type.String({
    default: 'development',
    description: '`production`: if MONGODB_URL is set, JWT_SECRET or another token key must be set too'
  }),
  PORT: Type.Integer({
    default: 5000,
    minimum: 0,
    maximum: 65_535,
    description: 'TCP port of the HTTP and Socket.IO server; 0 chooses a free one'
  }),
  HOST: Type.String({ default: '0.0.0.0', minLength: 1, description: 'Address on which the server listens' }),
  DATA_DIR: Type.String({
    default: './data',
    minLength: 1,
    description: 'Folder of the embedded database, of the generated secret, and of the files that users upload'
  }),
  MONGODB_URL: Type.String({
    default: '',
    description: 'Connection string of a MongoDB replica set; if it is empty, the server starts the embedded engine'
  }),
  MONGODB_DATABASE: Type.String({
    default: '',
    pattern: '^[A-Za-z0-9_-]{0,63}$',
    description: 'Name of the database; if it is empty, the one in MONGODB_URL, or `tidelog`'
  }),
  REDIS_URL: Type.String({
    default: '',
    description: 'Address of a Redis that links several servers on one MongoDB: redis://host:6379, or rediss: with ' +
      'TLS; if it is empty, this server is the only one'
  }),
  DRAIN_DELAY: Type.Integer({
    default: 5,
    minimum: 0,
    maximum: 3_600,
    description: 'Seconds for which a server with REDIS_URL keeps serving after SIGTERM, while it says that it is ' +
      'not ready'
  }),
  DRAIN_SECONDS: Type.Integer({
    default: 30,
    minimum: 0,
    maximum: 3_600,
    description: 'Most seconds that it then takes to send its sockets to the other servers'
  }),
  JWT_SECRET: Type.String({
    default: '',
    pattern: '^(.{16,})?$',
    description: 'Secret (16 characters or more) that signs HS256 tokens; if it is empty, the server makes one and ' +
      'keeps it in DATA_DIR'
  }),
  JWT_PUBLIC_KEY: Type.String({
    default: '',
    description: 'PEM public key of the host application\'s RS256, ES256 or EdDSA tokens'
  }),
  JWT_JWKS_URL: Type.String({
    default: '',
    description: 'Address of the JWKS with the keys of the host application\'s RS256, ES256 or EdDSA tokens'
  }),
  ACCESS_TOKEN_TTL: seconds('Lifetime of an access token', 86_400),
  REFRESH_TOKEN_TTL: seconds('Lifetime of a refresh token', 30 * 86_400),
  ADMIN_USERS: Type.String({
    default: '',
    description: 'User names of the administrators, separated by commas; to register one you need the code that the ' +
      'server prints for it'
  }),
  CORS_ORIGIN: Type.String({
    default: '*',
    minLength: 1,
    description: 'Origins of browser clients as browsers send them (https://chat.example, without a path), separated ' +
      'by commas; `*` allows every origin'
  }),
  EMBED_ORIGINS: Type.String({
    default: '',
    description: 'Origins of pages that may show the app in a frame (https://shop.example, without a path), ' +
      'separated by commas; if it is empty, no page may'
  }),
  TRUST_PROXY: Type.String({
    default: 'false',
    description: 'The proxies in front of the server whose X-Forwarded-For it trusts: true (one proxy), a number ' +
      'of proxies in a row, or their networks, separated by commas (10.0.0.0/8, loopback, linklocal, ' +
      'uniquelocal)'
  }),
  BASE_PATH: Type.String({
    default: '',
    pattern: '^(/[A-Za-z0-9._~-]+)*$',
    description: 'Path under which a proxy serves the web app (/chat); the proxy must strip it from each request'
  }),
  PUBLIC_URL: Type.String({
    default: '',
    description: 'Address at which clients reach this server (https://chat.example), with the path of BASE_PATH if ' +
      'there is one: the addresses of pictures begin with it; if it is empty, they are paths on this server'
  }),
  LOG_LEVEL: Type.Union(
    logLevels.map(level => Type.Literal(level)),
    {
      default: 'info',
      description: 'Lowest level that the server logs: fatal, error, warn, info, debug, trace or silent'
    }
  ),
  METRICS_TOKEN: Type.String({
    default: '',
    pattern: '^(.{16,})?$',
    description: 'Bearer token (16 characters or more) with which `GET /metrics` answers; if it and METRICS_NETWORKS ' +
      'are empty, it answers 404'
  }),
  METRICS_NETWORKS: Type.String({
    default: '',
    description: 'Networks from which `GET /metrics` answers without a token, separated by commas (10.0.0.0/8, ' +
      'loopback, linklocal, uniquelocal)'
  }),
  MESSAGE_CHARS_MAX: Type.Integer({
    default: 4000,
    minimum: 1,
    maximum: 100_000,
    description: 'Most characters of a message'
  }),
  EDIT_WINDOW: seconds('Time in which users can edit their messages', 86_400),
  RETENTION_DAYS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 36_500,
    description: 'Days for which the server keeps messages: about every hour it purges older ones, permanently; 0 ' +
      'keeps them for ever'
  }),
  PRESENCE_GRACE: seconds('Time for which a user is still shown as online after their last socket has closed', 10),
  REQUEST_BYTES_MAX: Type.Integer({
    default: 1_048_576,
    minimum: 1_024,
    maximum: 16_777_216,
    description: 'Largest REST body, in bytes; a push may be as large as OUTBOX_BYTES_MAX'
  }),
  OUTBOX_BYTES_MAX: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 67_108_864,
    description: 'Largest push and largest socket packet, in bytes; 0 means the size of 100 operations with the ' +
      'longest content'
  }),
  S3_URL: Type.String({
    default: '',
    description: 'Bucket for the files that users upload, at any service with the API of S3: ' +
      'https://<key>:<secret>@<host>/<bucket>?region=<region>, key and secret percent-encoded; if it is empty, ' +
      'files are in DATA_DIR'
  }),
  FILE_BYTES_MAX: Type.Integer({
    default: 104_857_600,
    minimum: 0,
    maximum: 1_099_511_627_776,
    description: 'Largest file that users can upload, in bytes; 0 turns uploads off'
  }),
  FILES_USER_BYTES_MAX: Type.Integer({
    default: 1_073_741_824,
    minimum: 0,
    maximum: 1_125_899_906_842_624,
    description: 'Most bytes of all files of a user together'
  }),
  FILES_FREE_BYTES_MIN: Type.Integer({
    default: 1_073_741_824,
    minimum: 0,
    maximum: 1_125_899_906_842_624,
    description: 'Bytes that uploads leave free on the disk of DATA_DIR, because a full disk would stop the database'
  }),
  FILE_TYPES: Type.String({
    default: '*',
    minLength: 1,
    description: 'Media types of files that users can upload, separated by commas (image/*, application/pdf); `*` ' +
      'allows every type. The server finds the type in the content'
  }),
  RATE_LIMIT_LOGIN: limit('Failed logins of an account and address in a minute', 20),
  RATE_LIMIT_LOGIN_ADDRESS: limit('Failed logins of an address in a minute, over all accounts', 200),
  RATE_LIMIT_LOGIN_ACCOUNT: limit(
    'Failed logins of an account in 15 minutes, over all addresses at which it was never used', 50
  ),
  RATE_LIMIT_REGISTER: limit('Registrations of an address in an hour', 300),
  RATE_LIMIT_SENDS: limit('Messages of a user in 10 seconds, over all transports', 3_000),
  RATE_LIMIT_REQUESTS: limit(
    'REST requests, socket events and operations of a push of a user in 10 seconds; also logins, registrations, ' +
      'refreshes, logouts and requests without a valid token from an address',
    6_000
  ),
  RATE_LIMIT_SEARCH: limit('Searches of a user in a minute', 60),
  RATE_LIMIT_INVITATIONS: limit('Invitations into rooms that a user gets from strangers in a day', 20),
  RATE_LIMIT_HANDSHAKES: limit('Socket.IO handshakes of an address in 10 seconds', 600),
  RATE_LIMIT_CONNECTS: limit('CONNECT packets in 10 seconds on one socket connection', 10),
  RATE_LIMIT_PACKETS: limit('Packets in 10 seconds on one socket connection', 10_000),
  SOCKETS_MAX: limit('Sockets of one user', 30),
  WAITING_BYTES_MAX: limit('Most bytes that wait for one socket connection, in either direction', 8_388_608),
  SEARCH: Type.Union([Type.Literal('on'), Type.Literal('off')], {
    default: 'on',
    description: 'on: the server keeps an index of the words of all messages, about a tenth of their size; off: each ' +
      'call looks through a bounded part of the messages'
  }),
  USER_SEARCH: Type.Union([Type.Literal('all'), Type.Literal('shared')], {
    default: 'all',
    description: 'all: everybody finds every user by name; shared: only users with whom they share a direct ' +
      'conversation or a room (administrators find all)'
  }),
  SEARCH_CHARS_MAX: limit('Most characters of messages that one search compares', 500_000),
  REQUEST_TIMEOUT: limit('Seconds within which a request must arrive, with its body', 30)
}, { additionalProperties: false })

export type Config = Static<typeof configSchema>

/** A configuration that cannot be used. The message is one line that names the variable and says what it must be. */
export class ConfigError extends Error {}

/**
 * Reads the configuration from `environment`. A missing or empty value gets its default.
 * @throws ConfigError naming the first variable that is wrong
 */
export function readConfig (environment: Record<string, string | undefined> = process.env): Config {
  const known = Object.fromEntries(Object.keys(configSchema.properties)
    .map(name => [name, environment[name]])
    .filter(([, value]) => value !== undefined && value !== ''))
  let config: Config
  try {
    config = envSchema<Config>({ schema: configSchema, data: known, env: false })
  } catch (error) {
    throw new ConfigError(describe(error, known))
  }
  checkValues(config)
  if (config.OUTBOX_BYTES_MAX === 0) config.OUTBOX_BYTES_MAX = operationsMax * messageBytes(config)
  if (config.OUTBOX_BYTES_MAX < messageBytes(config)) {
    const least = messageBytes(config)
    throw new ConfigError(`OUTBOX_BYTES_MAX must be at least ${least}: a message of MESSAGE_CHARS_MAX does not fit`)
  }
  if (config.REDIS_URL !== '' && config.MONGODB_URL === '') {
    throw new ConfigError('REDIS_URL must be empty without MONGODB_URL: the embedded engine serves one process')
  }
  if (config.NODE_ENV === 'production' && config.MONGODB_URL !== '' && !hasTokenKey(config)) {
    const when = 'when NODE_ENV is production and MONGODB_URL is set'
    throw new ConfigError(`JWT_SECRET must be set (16 characters or more) ${when}`)
  }
  return config
}

/**
 * The size limit of an operation of a push, in bytes: four for each character of its content, and its other fields, of
 * which ten attachments are the most.
 */
function messageBytes ({ MESSAGE_CHARS_MAX: chars }: Config): number {
  return 4 * chars + 4_096
}

export function hasTokenKey (config: Config): boolean {
  return config.JWT_SECRET !== '' || config.JWT_PUBLIC_KEY !== '' || config.JWT_JWKS_URL !== ''
}

/** The database that MONGODB_DATABASE or MONGODB_URL names. */
export function databaseName (config: Config): string {
  if (config.MONGODB_DATABASE !== '') return config.MONGODB_DATABASE
  const path = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(config.MONGODB_URL)?.[1]
  return path === undefined ? 'tidelog' : decodeURIComponent(path)
}

/** The secret that signs tokens if none is configured: created once in DATA_DIR, readable by its owner only. */
export function storedSecret (dataDir: string): string {
  const file = join(dataDir, 'jwt-secret')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if (!existsSync(file)) {
    try {
      writeFileSync(file, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  chmodSync(file, 0o600)
  const secret = readFileSync(file, 'utf8').trim()
  if (secret.length < 32) {
    throw new ConfigError(
      `DATA_DIR: ${file} must hold a secret of 32 characters or more; delete it to make a new one`
    )
  }
  return secret
}

function describe (error: unknown, given: Record<string, unknown>): string {
  const [first] = (error as { errors?: Array<{ instancePath: string, message?: string }> }).errors ?? []
  if (first === undefined) return String(error)
  const name = first.instancePath.slice(1)
  const about = (configSchema.properties as Record<string, { description?: string }>)[name]?.description
  const secret = /SECRET|KEY|METRICS_TOKEN|MONGODB_URL|REDIS_URL|S3_URL/.test(name)
  const value = secret ? '' : `, not ${JSON.stringify(given[name])}`
  return `${name} ${first.message ?? 'is wrong'}${value}${about === undefined ? '' : ` (${about})`}`
}

/** @throws ConfigError for a value that does not parse */
function checkValues (config: Config): void {
  for (const [name, check] of Object.entries(valueChecks)) {
    const value = config[name as keyof Config]
    try {
      if (typeof value === 'string' && value !== '') check(value)
    } catch (error) {
      throw new ConfigError(`${name} ${(error as Error).message}`)
    }
  }
}

/** CORS_ORIGIN in the form that the CORS packages take. */
export function allowedOrigins (config: Config): '*' | string[] {
  return parseOrigins(config.CORS_ORIGIN)
}

/** FILE_TYPES as a function. */
export function takenTypes (config: Config): (type: string) => boolean {
  return parseMediaTypes(config.FILE_TYPES)
}

/** EMBED_ORIGINS as a list. */
export function embedOrigins ({ EMBED_ORIGINS: text }: Config): string[] {
  return text === '' ? [] : parseNamedOrigins(text)
}

/** TRUST_PROXY as a function. Undefined: no proxy is trusted. */
export function trustedProxies (config: Config): Trust | undefined {
  return parseTrust(config.TRUST_PROXY)
}

/** The text of `.env.example`: every variable with its description, commented out at its default. */
export function envExample (): string {
  const entries = Object.entries(configSchema.properties as Record<string, { description?: string, default?: unknown }>)
  const lines = entries.map(([name, { description = '', default: value }]) =>
    `\n# ${description}.\n# ${name}=${String(value)}\n`)
  return `# Copy to .env and uncomment what you change. Made from src/config.ts by \`npm run env-example\`.\n${lines.join('')}`
}
