import { createClient } from '@redis/client'

export type RedisClient = ReturnType<typeof newClient>

/**
 * A client without a queue while it is offline, and without reconnecting: both would bring old words later.
 * @param onLost called at least once when the connection ends
 */
export function newClient (url: string, connectTimeout: number, onLost: (error: unknown) => void) {
  const client = createClient({
    url,
    name: 'tidelog',
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    socket: { reconnectStrategy: false, connectTimeout }
  })
  client.on('error', onLost)
  client.on('end', () => { onLost(new Error('Redis has closed the connection')) })
  return client
}
