import type { Device } from './device.ts'
import type { History } from './history.ts'
import type { Person } from './people.ts'
import type { Random } from './random.ts'
import type { Rest } from './rest.ts'

/** A place to write to, as seen by one user. */
export interface Target {
  conversationId: string
  /** The socket event, the REST path, and what names the conversation in both. */
  event: 'sendDirectMessage' | 'sendRoomMessage' | 'sendCommonChatMessage'
  path: string
  names: Record<string, string>
}

/** What the attacks of one era share. */
export interface Stage {
  history: History
  random: Random
  people: readonly Person[]
  /** Those who write; the last of `people` is a stranger to everything. */
  members: readonly Person[]
  stranger: Person
  devices: readonly Device[]
  nodes: readonly Rest[]
  /** Conversations that each member can write to. */
  targets: ReadonlyMap<string, readonly Target[]>
  roomId: string
  /** Greatest seq of a conversation before the era. */
  baselines: ReadonlyMap<string, number>
  /** The load is to end: whatever is under way is brought to its end. */
  ending: AbortSignal
  /** Everything is at its end: what is stored now is the last word. */
  settled: AbortSignal
  run: string
}

export function devicesOf ({ devices }: Stage, person: Person): Device[] {
  return devices.filter(device => device.person === person)
}
