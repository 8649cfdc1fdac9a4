import { createHmac, type KeyObject, sign as signBytes } from 'node:crypto'

const encode = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A JWT made by hand, so that a test can write what a library would refuse. */
export function makeToken (header: object, payload: unknown, sign: (input: string) => Buffer | string): string {
  const input = `${encode({ typ: 'JWT', ...header })}.${encode(payload)}`
  return `${input}.${Buffer.from(sign(input)).toString('base64url')}`
}

export function hs256 (payload: unknown, secret: string, header: object = {}): string {
  return makeToken({ alg: 'HS256', ...header }, payload, input => createHmac('sha256', secret).update(input).digest())
}

/** Signs with the private key, by the algorithm for its type. */
export function signed (payload: unknown, key: KeyObject, header: object = {}): string {
  const type = key.asymmetricKeyType
  const alg = type === 'rsa' ? 'RS256' : type === 'ec' ? 'ES256' : 'EdDSA'
  return makeToken({ alg, ...header }, payload, input =>
    signBytes(type === 'ed25519' ? null : 'sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }))
}
