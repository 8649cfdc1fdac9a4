import { client } from './client.ts'

/** Longer than the other tabs wait for a leader that says nothing. */
const freezeMs = 4_000

const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('tidelog faults') : undefined

/** Makes this tab freeze when another one asks for it; call once. */
export function startFreezing (): void {
  channel?.addEventListener('message', ({ data }) => {
    if (data === 'freeze the leader' && client.inspect().tab.leads) freeze()
  })
}

/** Freezes the tab that leads, be it this one or another, as a browser does to tabs in the background. */
export function freezeLeader (): void {
  if (client.inspect().tab.leads) freeze()
  else channel?.postMessage('freeze the leader')
}

function freeze (): void {
  const end = performance.now() + freezeMs
  while (performance.now() < end);
}
