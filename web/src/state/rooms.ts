import type { Room } from '@tidelog/client'
import { client } from './client.ts'

/** Rooms whose names hold all words of a text; from a server that does not look for them by itself too. */
export async function findRooms (text: string, limit: number, signal: AbortSignal): Promise<Room[]> {
  const words = plain(text).split(/\s+/u)
  const found: Room[] = []
  let cursor: string | undefined
  do {
    const next = cursor === undefined ? {} : { cursor }
    const page = await client.rooms.list({ search: text, limit: 100, signal, ...next })
    found.push(...page.items.filter(({ name }) => words.every(word => plain(name).includes(word))))
    cursor = page.cursor
  } while (cursor !== undefined && found.length < limit)
  return found.slice(0, limit)
}

/** Without case and accents. */
function plain (text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}
