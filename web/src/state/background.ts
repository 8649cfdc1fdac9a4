import { outboxTag } from '../../sw/shared.ts'
import { client } from './client.ts'

interface SyncRegistration extends ServiceWorkerRegistration { sync?: { register: (tag: string) => Promise<void> } }

/**
 * What waits when there is no connection is sent by the service worker once there is one, even if this page is closed
 * by then; in browsers that can. Call once.
 */
export function startBackgroundSync (): void {
  let isAsked = false
  const look = () => {
    const { state } = client.connection.get()
    const isWaiting = client.outbox.get().some(operation => operation.state !== 'failed')
    if (!isWaiting) isAsked = false
    if (!isWaiting || isAsked || (state !== 'offline' && state !== 'connecting')) return
    isAsked = true
    void ask().catch(() => undefined)
  }
  client.outbox.subscribe(look)
  client.connection.subscribe(look)
}

async function ask (): Promise<void> {
  const registration: SyncRegistration | undefined = await navigator.serviceWorker?.getRegistration()
  await registration?.sync?.register(outboxTag)
}
