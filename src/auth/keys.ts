import { createPublicKey, type KeyObject } from 'node:crypto'
import { type Config, ConfigError, hasTokenKey, storedSecret } from '../config.ts'

/** The algorithms of a host application's tokens. A token of ours is HS256; no other algorithm is ever accepted. */
export type PublicAlgorithm = 'RS256' | 'ES256' | 'EdDSA'

export interface TokenKeys {
  /** The secret of HS256 tokens. */
  secret?: string
  publicKey?: { pem: string, algorithm: PublicAlgorithm }
  jwksUrl?: string
}

/**
 * The keys that the configuration names, each with the only algorithm that it may verify: a public key never serves as
 * an HMAC secret. If it names none, a secret is made and kept.
 */
export function tokenKeys (config: Config): TokenKeys {
  if (!hasTokenKey(config)) return { secret: storedSecret(config.DATA_DIR) }
  return {
    ...(config.JWT_SECRET === '' ? {} : { secret: config.JWT_SECRET }),
    ...(config.JWT_PUBLIC_KEY === '' ? {} : { publicKey: readPublicKey(config.JWT_PUBLIC_KEY) }),
    ...(config.JWT_JWKS_URL === '' ? {} : { jwksUrl: config.JWT_JWKS_URL })
  }
}

/** Does this server issue its own tokens? Then it has accounts too. */
export function issuesTokens (config: Config): boolean {
  return config.JWT_SECRET !== '' || !hasTokenKey(config)
}

/** The only algorithm for a public key; undefined for a kind of key that may not sign tokens. */
export function algorithmOf (key: KeyObject): PublicAlgorithm | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 2_048 ? 'RS256' : undefined
  if (type === 'ec') return details?.namedCurve === 'prime256v1' ? 'ES256' : undefined
  return type === 'ed25519' ? 'EdDSA' : undefined
}

export function toPem (key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

function readPublicKey (text: string): { pem: string, algorithm: PublicAlgorithm } {
  // Environment files often hold a PEM on one line.
  const pem = text.replaceAll('\\n', '\n').trim()
  if (pem.includes('PRIVATE KEY')) throw new ConfigError('JWT_PUBLIC_KEY must be the public key, not the private one')
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch {
    throw new ConfigError('JWT_PUBLIC_KEY must be a public key in PEM form (-----BEGIN PUBLIC KEY-----)')
  }
  const algorithm = algorithmOf(key)
  if (algorithm === undefined) {
    throw new ConfigError('JWT_PUBLIC_KEY must be an RSA key of 2,048 bits or more, a P-256 or an Ed25519 key')
  }
  return { pem: toPem(key), algorithm }
}
