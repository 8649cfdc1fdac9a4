import { signal } from '@preact/signals'
import { client } from './client.ts'

/** The server has been out of reach for a while. A new try does not end this, only an answer does. */
export const isAway = signal(false)

/** Milliseconds without a connection before it is told: most outages are over by then. */
const calmMs = 2_000
/** Milliseconds of catching up after which the server is taken to be there: a try that fails is over sooner. */
const tryMs = 1_000

/** Follows the connection. Call once. */
export function watchConnection (): void {
  let toAway: ReturnType<typeof setTimeout> | undefined
  let toBack: ReturnType<typeof setTimeout> | undefined
  const settle = (): void => {
    clearTimeout(toAway)
    toAway = undefined
    isAway.value = false
  }
  client.connection.subscribe(({ state }) => {
    clearTimeout(toBack)
    if (state === 'syncing') toBack = setTimeout(settle, tryMs)
    else if (state === 'live' || state === 'polling') settle()
    else toAway ??= setTimeout(() => { isAway.value = true }, calmMs)
  })
}
