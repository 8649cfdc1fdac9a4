import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Trust, clientAddress, parseNetworks } from '../addresses.ts'

export interface MetricsAccess {
  /** Empty: no token is accepted. */
  token: string
  /** Networks, separated by commas. Empty: none. */
  networks: string
  trust: Trust | undefined
}

/**
 * A test whether a request may read the metrics. A request that came through a proxy which is not trusted has that
 * proxy's address, so its network proves nothing.
 */
export function metricsAccess ({ token, networks, trust }: MetricsAccess): (request: IncomingMessage) => boolean {
  const isNear = networks === '' ? () => false : parseNetworks(networks)
  const expected = Buffer.from(`Bearer ${token}`)
  return request => {
    const given = Buffer.from(request.headers.authorization ?? '')
    if (token !== '' && given.length === expected.length && timingSafeEqual(given, expected)) return true
    const { forwarded, 'x-forwarded-for': forwardedFor } = request.headers
    const isForwarded = forwarded !== undefined || forwardedFor !== undefined
    return (!isForwarded || trust !== undefined) && isNear(clientAddress(request, trust))
  }
}
