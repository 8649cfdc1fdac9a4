import { MongoClient } from 'mongodb'
import { parseNetworks, parseTrust } from './addresses.ts'

/** Parsers of variables that have a syntax of their own. They throw an Error that begins with `must`. */

/**
 * CORS_ORIGIN: every origin, or a list. An origin that no browser sends is refused: it would shut out all browsers
 * silently.
 */
export function parseOrigins (text: string): '*' | string[] {
  const origins = text.split(',').map(origin => origin.trim()).filter(origin => origin !== '')
  if (origins.includes('*')) return '*'
  if (origins.length === 0) throw new Error('must name origins, or be *')
  for (const given of origins) {
    const origin = originOf(given)
    if (origin === given) continue
    const hint = origin === undefined ? 'https://chat.example' : origin
    throw new Error(`must name origins as browsers send them: ${hint}, not ${JSON.stringify(given)}`)
  }
  return origins
}

/** EMBED_ORIGINS: a list. Not every origin, because any page could lay the app under its own. */
export function parseNamedOrigins (text: string): string[] {
  const origins = parseOrigins(text)
  if (origins === '*') throw new Error('must name origins: * is not one')
  return origins
}

/** The origin of an address as a browser sends it. Origins of apps (capacitor://localhost) are kept as written. */
function originOf (text: string): string | undefined {
  if (text === 'null') return text
  if (!URL.canParse(text)) return undefined
  const { origin, protocol, host } = new URL(text)
  if (origin !== 'null') return origin
  return host === '' ? undefined : `${protocol}//${host}`
}

function checkHttpUrl (text: string): void {
  const { protocol = '', hostname = '' } = URL.canParse(text) ? new URL(text) : {}
  if (!/^https?:$/.test(protocol) || hostname === '' || /\s/.test(text)) throw new Error('must be an http or https address (https://issuer.example/.well-known/jwks.json)')
}

/** PUBLIC_URL: clients add a path to it. */
function checkPublicUrl (text: string): void {
  const { protocol = '', origin = '', pathname = '' } = URL.canParse(text) ? new URL(text) : {}
  if (!/^https?:$/.test(protocol) || text !== `${origin}${pathname === '/' ? '' : pathname}` || text.endsWith('/')) {
    throw new Error('must be an http or https address without a slash at its end (https://chat.example)')
  }
}

/** S3_URL: a bucket, and who may use it. */
function checkBucketUrl (text: string): void {
  const { protocol = '', username = '', password = '', pathname = '' } = URL.canParse(text) ? new URL(text) : {}
  if (!/^https?:$/.test(protocol) || username === '' || password === '' || pathname.length < 2) {
    throw new Error('must be https://<key>:<secret>@<host>/<bucket>, with ?region=<region> if it needs one')
  }
}

/** Lets the driver parse the URL. Its error text is dropped, because it could show the password. */
function checkMongoUrl (text: string): void {
  try {
    const { options } = new MongoClient(text)
    if (options.dbName.includes('/')) throw new Error('a path of several parts')
  } catch {
    throw new Error('must be a MongoDB connection string (mongodb://host:27017/database or mongodb+srv://host/database)')
  }
}

/** The text of the error names no part of the address, because it could hold a password. */
function checkRedisUrl (text: string): void {
  const { protocol = '', hostname = '', pathname = '' } = URL.canParse(text) ? new URL(text) : {}
  if (!/^rediss?:$/.test(protocol) || hostname === '' || !/^\/?\d*$/.test(pathname) || /[\s,]/.test(text)) {
    throw new Error('must be the address of one Redis (redis://host:6379, or rediss://host:6379 with TLS)')
  }
}

/** FILE_TYPES: `*`, or a list of media types and of whole families (`image/*`). */
export function parseMediaTypes (text: string): (type: string) => boolean {
  const types = text.split(',').map(type => type.trim().toLowerCase()).filter(type => type !== '')
  if (types.includes('*')) return () => true
  const wrong = types.find(type => !/^[a-z]+\/(\*|[a-z0-9][a-z0-9.+-]*)$/.test(type))
  if (wrong !== undefined || types.length === 0) {
    throw new Error(`must name media types (image/*, application/pdf), or be *, not ${JSON.stringify(wrong ?? '')}`)
  }
  return type => types.includes(type) || types.includes(`${type.split('/')[0]!}/*`)
}

/** Checks by variable. An empty value is not checked. */
export const valueChecks: Readonly<Record<string, (text: string) => unknown>> = {
  CORS_ORIGIN: parseOrigins,
  EMBED_ORIGINS: parseNamedOrigins,
  FILE_TYPES: parseMediaTypes,
  PUBLIC_URL: checkPublicUrl,
  TRUST_PROXY: parseTrust,
  METRICS_NETWORKS: text => parseNetworks(text),
  MONGODB_URL: checkMongoUrl,
  REDIS_URL: checkRedisUrl,
  S3_URL: checkBucketUrl,
  JWT_JWKS_URL: checkHttpUrl
}
