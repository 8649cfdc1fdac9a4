import { MongoClient } from 'mongodb'
import { parseTrust } from './addresses.ts'

/** Values of variables that have a form of their own; what is wrong with one is thrown as an Error that begins with `must`. */

/** CORS_ORIGIN: every origin, or these. One that no browser ever sends would shut everybody out without a word. */
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

/** The origin of an address as a browser writes it; those of apps (capacitor://localhost) have no other form. */
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

/** The driver's own reading of it; its message could show the password. */
function checkMongoUrl (text: string): void {
  try {
    const { options } = new MongoClient(text)
    if (options.dbName.includes('/')) throw new Error('a path of several parts')
  } catch {
    throw new Error('must be a MongoDB connection string (mongodb://host:27017/database or mongodb+srv://host/database)')
  }
}

/** By variable; an empty value is not checked. */
export const valueChecks: Readonly<Record<string, (text: string) => unknown>> = {
  CORS_ORIGIN: parseOrigins,
  TRUST_PROXY: parseTrust,
  MONGODB_URL: checkMongoUrl,
  JWT_JWKS_URL: checkHttpUrl
}
