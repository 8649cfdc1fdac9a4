import type { Finding, SearchInput } from '@tidelog/client'
import { useEffect, useState } from 'preact/hooks'
import type { Filters } from '../router.ts'
import { client } from '../state/client.ts'
import { isAborted } from '../state/failures.ts'
import { myId } from '../state/people.ts'

const recentMax = 8
const pageSize = 30

/** A search needs words, or what a message has. */
export const isAsked = (text: string, { has }: Filters): boolean => text !== '' || has !== undefined

/** What is asked for messages. A day begins and ends on this device's clock. */
function inputOf (text: string, { within, from, has, after, before }: Filters): SearchInput {
  const end = before === undefined ? undefined : new Date(`${before}T00:00`)
  end?.setDate(end.getDate() + 1)
  return {
    text,
    limit: pageSize,
    ...(within === undefined ? {} : { conversationId: within }),
    ...(from === undefined ? {} : { from }),
    ...(has === undefined ? {} : { has }),
    ...(after === undefined ? {} : { after: new Date(`${after}T00:00`).getTime() }),
    ...(end === undefined ? {} : { before: end.getTime() })
  }
}

interface Found {
  finding: Finding | undefined
  error: unknown
}

/** The messages that are found. The search before is given up, and stays shown until the next one has found some. */
export function useFinding (text: string, filters: Filters): Found {
  const [state, setState] = useState<Found>({ finding: undefined, error: undefined })
  useEffect(() => {
    if (!isAsked(text, filters)) {
      setState({ finding: undefined, error: undefined })
      return
    }
    const ended = new AbortController()
    client.find({ ...inputOf(text, filters), signal: ended.signal }).then(
      finding => {
        if (!ended.signal.aborted) setState({ finding, error: undefined })
      },
      (error: unknown) => {
        if (!ended.signal.aborted && !isAborted(error)) setState({ finding: undefined, error })
      }
    )
    return () => {
      ended.abort()
    }
  }, [text, JSON.stringify(filters)])
  return state
}

/** What this user has searched for on this device, the last first. */
export function recentSearches (): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(recentKey()) ?? '[]')
    return Array.isArray(stored) ? stored.filter(text => typeof text === 'string').slice(0, recentMax) : []
  } catch {
    return []
  }
}

export function noteSearch (text: string): string[] {
  const words = text.trim()
  return words === '' ? recentSearches() : keep([words, ...recentSearches().filter(other => other !== words)])
}

export const forgetSearch = (text: string): string[] => keep(recentSearches().filter(other => other !== text))

/** Removes those of everybody who was signed in here. */
export function forgetAllSearches (): void {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(prefix)) localStorage.removeItem(key)
  } catch {
    // Storage is forbidden: nothing was kept.
  }
}

function keep (searches: string[]): string[] {
  try {
    localStorage.setItem(recentKey(), JSON.stringify(searches.slice(0, recentMax)))
  } catch {
    // Storage is full or forbidden: they are not kept.
  }
  return recentSearches()
}

const prefix = 'tidelog:searches:'
const recentKey = (): string => prefix + myId()
