import { counter } from '../plural.ts'

const count = counter('en')

export const list = {
  empty: 'People and rooms that you write to appear here.',
  draft: 'Draft:',
  typing: 'typing',
  someoneTyping: (name: string) => `${name} is typing`,
  deleted: 'Message deleted',
  notSent: (why: string) => `Not sent: ${why}`,
  unread: (n: number) => count(n, { one: '# unread', other: '# unread' }),
  mentioned: 'You are mentioned',
  preview: (name: string, text: string) => `${name}: ${text}`,
  youPreview: (text: string) => `You: ${text}`
}

export const hello = {
  title: 'Say hello',
  lead: 'Pick someone, or a room. You can write right away, online or not.',
  find: 'Find someone',
  placeholder: 'Name or username',
  sayHello: 'Say hello',
  everyone: 'Everyone on this server',
  allRooms: 'All rooms',
  invitation: 'Expecting an invitation? It shows up in your list by itself.',
  nobody: (q: string) => `Nobody is called “${q}”`,
  people: 'People'
}

/** The user's own settings of a conversation. */
export const settle = {
  pin: 'Pin to the top',
  unpin: 'Unpin',
  mute: 'Mute',
  unmute: 'Unmute',
  forHours: (n: number) => count(n, { one: 'For an hour', other: 'For # hours' }),
  forDays: (n: number) => count(n, { one: 'For a day', other: 'For # days' }),
  forever: 'Until I unmute it',
  markRead: 'Mark as read',
  markUnread: 'Mark as unread',
  archive: 'Archive',
  unarchive: 'Move out of the archive',
  pinned: 'Pinned',
  muted: 'Muted',
  marked: 'Marked as unread',
  archived: (n: number) => count(n, { one: '# archived', other: '# archived' }),
  of: (title: string) => `More: ${title}`
}
