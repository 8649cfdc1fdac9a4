import type { Room } from '@tidelog/client'
import { client } from './client.ts'

/** Rooms whose names hold a text. The server looks through a part of them at a time: a page may be empty. */
export async function findRooms (text: string, limit: number, signal: AbortSignal): Promise<Room[]> {
  const found: Room[] = []
  let cursor: string | undefined
  do {
    const next = cursor === undefined ? {} : { cursor }
    const page = await client.rooms.list({ search: text, limit: limit - found.length, signal, ...next })
    found.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined && found.length < limit)
  return found
}
