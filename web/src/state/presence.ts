import type { Presence } from '@tidelog/client'
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { client } from './client.ts'

/** Of whom a part of the page shows the presence, and how many parts do. */
const wanted = new Map<string, number>()
const present = signal<ReadonlyMap<string, Presence>>(new Map())
let end: (() => void) | undefined
let isPlanned = false

/** The presence of one user, as long as the component is shown; all components share one subscription. */
export function usePresence (userId: string | undefined): Presence | undefined {
  useEffect(() => (userId === undefined ? undefined : want([userId])), [userId])
  return userId === undefined ? undefined : present.value.get(userId)
}

/** How many of these are here now. */
export function useHereCount (userIds: readonly string[]): number {
  const key = userIds.join()
  useEffect(() => want(key === '' ? [] : key.split(',')), [key])
  return userIds.filter(id => present.value.get(id)?.status === 'online').length
}

export function presenceOf (userId: string): Presence | undefined {
  return present.value.get(userId)
}

function want (userIds: string[]): () => void {
  change(userIds, 1)
  return () => {
    change(userIds, -1)
  }
}

function change (userIds: string[], by: 1 | -1): void {
  for (const id of userIds) {
    const count = (wanted.get(id) ?? 0) + by
    if (count > 0) wanted.set(id, count)
    else wanted.delete(id)
  }
  if (isPlanned) return
  isPlanned = true
  // A page that is shown wants many at once, and a list that scrolls gives some back at once.
  setTimeout(() => {
    isPlanned = false
    end?.()
    end = client.presence([...wanted.keys()]).subscribe(value => {
      present.value = value
    })
  }, 50)
}
