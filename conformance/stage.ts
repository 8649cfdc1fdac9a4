import type { Device } from './device.ts'
import type { History } from './history.ts'
import type { Person } from './people.ts'
import type { Random } from './random.ts'
import type { Rest } from './rest.ts'

/** A conversation that one user can write to. */
export interface Target {
  conversationId: string
  /** The socket event and the REST path for sending, and the names that identify the conversation in each. */
  event: 'sendDirectMessage' | 'sendRoomMessage' | 'sendCommonChatMessage'
  path: string
  names: Record<string, string>
}

/** What the attacks of one era share. */
export interface Stage {
  history: History
  random: Random
  people: readonly Person[]
  /** The users who write. The last of `people` is a stranger to every conversation. */
  members: readonly Person[]
  stranger: Person
  devices: readonly Device[]
  nodes: readonly Rest[]
  /** Conversations that each member can write to. */
  targets: ReadonlyMap<string, readonly Target[]>
  roomId: string
  /** Highest seq of a conversation before the era. */
  baselines: ReadonlyMap<string, number>
  /** Aborted when the load must end: running calls are finished. */
  ending: AbortSignal
  /** Aborted when everything has ended: the stored state is final. */
  settled: AbortSignal
  run: string
}

export function devicesOf ({ devices }: Stage, person: Person): Device[] {
  return devices.filter(device => device.person === person)
}
