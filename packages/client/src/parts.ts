import type { People, UserCalls } from './api/users.ts'
import type { Core } from './core.ts'
import type { LeaderOptions, Leading } from './engine/leading.ts'
import type { Account, Client, Conversation, Files, OwnUser, Rooms } from './types.ts'

/** What the parts of the API that are loaded later work with. */
export interface Parts {
  core: Core
  people: People
  files: Files
  conversation: (id: string) => Conversation
  /** Syncs now. Resolves when all that the server held is here. */
  sync: Client['sync']
  /** The signed-in user was changed. */
  onMe: (user: OwnUser) => Promise<void>
  /** Leaves nothing on this device. */
  signOut: () => Promise<void>
}

/** Loads what is not needed at first. Each rejects if its code does not come; the next try may bring it. */
export interface Later {
  leader: (options: LeaderOptions) => Promise<Leading>
  inbox: (parts: Parts) => Promise<Client['inbox']>
  rooms: (parts: Parts) => Promise<Rooms>
  users: (parts: Parts) => Promise<UserCalls>
  files: (parts: Parts) => Promise<Pick<Files, 'get' | 'url' | 'upload'>>
  preparing: () => Promise<Pick<Files, 'prepare'>>
  account: (parts: Parts) => Promise<Account>
  search: (parts: Parts) => Promise<Pick<Client, 'search' | 'find'>>
}
