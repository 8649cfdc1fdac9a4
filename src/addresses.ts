import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/**
 * Finds the address of a client. A client can write anything into X-Forwarded-For, and a client that chooses its own
 * address would have no rate limit. So the header is read from its end, and only as far as trusted proxies have written
 * it.
 */

/** Is this one of our proxies? `hop` 0 is the peer of the connection, 1 the address that this peer names, and so on. */
export type Trust = (address: string, hop: number) => boolean

const namedNetworks: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']
}

/**
 * TRUST_PROXY: `true` trusts one proxy, a number that many; undefined trusts none. @throws Error that says what the
 * value must be
 */
export function parseTrust (text: string): Trust | undefined {
  const value = text.trim()
  if (value === 'false' || value === '0') return undefined
  if (value === 'true') return (_, hop) => hop < 1
  if (/^[1-9]\d?$/.test(value)) return (_, hop) => hop < Number(value)
  return parseNetworks(value, 'true, false, a number of proxies up to 99, or ')
}

/**
 * Networks, separated by commas, as a test of an address.
 * @param orElse what the value may be beside networks
 * @throws Error that says what the value must be
 */
export function parseNetworks (text: string, orElse = ''): (address: string) => boolean {
  const networks = new BlockList()
  for (const name of text.split(',').map(part => part.trim())) {
    for (const network of namedNetworks[name] ?? [name]) addNetwork(networks, network, orElse)
  }
  return address => isIP(address) > 0 && networks.check(address, family(address))
}

function addNetwork (networks: BlockList, network: string, orElse: string): void {
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(network) ?? []
  const longest = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : 0
  const prefix = bits === undefined ? longest : Number(bits)
  if (prefix < 1 || prefix > longest) {
    const names = Object.keys(namedNetworks).join(', ')
    throw new Error(`must be ${orElse}networks (10.0.0.0/8, ::1, ${names}), not ${JSON.stringify(network)}`)
  }
  networks.addSubnet(address, prefix, family(address))
}

/** The client's address, as far back as trusted proxies report it. */
export function clientAddress ({ socket, headers }: IncomingMessage, trust: Trust | undefined): string {
  let address = plainAddress(socket.remoteAddress ?? '') ?? 'unknown'
  if (trust === undefined) return address
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(',')
  for (let hop = 0; forwarded.length > 0 && trust(address, hop); hop++) {
    const before = plainAddress(forwarded.pop()!)
    if (before === undefined) break
    address = before
  }
  return address
}

/** The key under which rate limits count an address. All of a customer's IPv6 network (/64) counts as one. */
export function addressKey (address: string): string {
  return isIP(address) === 6 ? `${groupsOf(address).slice(0, 4).join(':')}::/64` : address
}

/** An address without port, brackets or zone; a mapped IPv4 address as IPv4. Undefined if it is not an address. */
function plainAddress (text: string): string | undefined {
  const bare = text.trim().replace(/^\[([^\]]*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1').replace(/%.*$/, '')
  if (isIP(bare) !== 6) return isIP(bare) === 4 ? bare : undefined
  const groups = groupsOf(bare)
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return bare.toLowerCase()
  return groups.slice(6).map(group => parseInt(group, 16)).map(number => `${number >> 8}.${number & 255}`).join('.')
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf (address: string): string[] {
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const before = left === '' ? [] : left.split(':')
  if (right === undefined) return before
  const after = right === '' ? [] : right.split(':')
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
}

function family (address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
