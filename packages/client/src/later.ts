import type { Later } from './parts.ts'

/** What is loaded when it is used first; a bundler makes a file of each. */
export const later: Later = {
  leader: async options => new (await import('./engine/leader.ts')).Leader(options),
  inbox: async parts => (await import('./api/inbox.ts')).inboxOf(parts),
  rooms: async parts => (await import('./api/rooms.ts')).roomsApi(parts),
  users: async parts => (await import('./api/user-calls.ts')).userCalls(parts),
  files: async parts => (await import('./api/file-calls.ts')).fileCalls(parts),
  preparing: async () => ({ prepare: (await import('./media/prepare.ts')).prepareFile }),
  account: async parts => (await import('./api/account.ts')).accountApi(parts),
  search: async parts => (await import('./api/search.ts')).searchApi(parts)
}
