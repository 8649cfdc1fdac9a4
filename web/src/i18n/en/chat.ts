import { counter, lister } from '../plural.ts'

const count = counter('en')
const list = lister('en')

export const chat = {
  members: (n: number) => count(n, { one: '# member', other: '# members' }),
  hereNow: (n: number) => count(n, { one: '# here now', other: '# here now' }),
  searchHere: 'Search in this conversation',
  membersPanel: 'Members',
  messages: 'Messages',
  message: 'Message',
  placeholder: (name: string) => `Message ${name}`,
  send: 'Send',
  emoji: 'Emoji',
  mention: 'People to mention',
  newSince: (time: string) => `New since ${time}`,
  newMessages: (n: number) => count(n, { one: '# new message', other: '# new messages' }),
  new: 'New',
  waiting: 'Waiting for a connection',
  edited: 'edited',
  deleted: 'Message deleted',
  read: 'Read',
  sent: 'Sent',
  sending: 'Sending',
  queued: 'Waiting',
  reply: 'Reply',
  react: 'React',
  edit: 'Edit',
  delete: 'Delete',
  deleteForAll: 'Delete for everyone',
  deleteForMe: 'Delete for me',
  copy: 'Copy text',
  copyLink: 'Copy link',
  actions: 'Actions',
  forward: 'Forward',
  forwardTo: 'Find a conversation',
  forwarded: 'Forwarded',
  readBy: 'Read by',
  readByNobody: 'Nobody yet',
  pin: 'Pin for everyone',
  unpin: 'Unpin',
  pinned: 'Pinned message',
  pinnedOf: (n: number, of: number) => `Pinned message ${n} of ${of}`,
  allPins: 'Pinned messages',
  select: 'Select',
  selected: (n: number) => count(n, { one: '# selected', other: '# selected' }),
  selectThis: (text: string) => `Select: ${text}`,
  endSelection: 'End the selection',
  deleteSure: (n: number) =>
    count(n, { one: 'Delete the message for everyone?', other: 'Delete # messages for everyone?' }),
  hideSure: (n: number) =>
    count(n, {
      one: 'Delete the message for you, on all your devices? The others keep it.',
      other: 'Delete # messages for you, on all your devices? The others keep them.'
    }),
  clear: 'Clear history',
  clearSure: 'Clear the history for you, on all your devices? The others keep it.',
  moreEmoji: 'More emoji',
  replyTo: (name: string) => `Reply to ${name}`,
  noReply: 'Cancel the reply',
  editing: 'Edit your message',
  noEdit: 'Cancel editing',
  reaction: (emoji: string, n: number, names: string) => `${emoji} ${n}${names === '' ? '' : `, ${names}`}`,
  toNewest: 'Go to the newest',
  below: (n: number) => count(n, { one: '# below, go to the newest', other: '# below, go to the newest' }),
  typing: (names: string[]) => (names.length === 1 ? `${names[0] ?? ''} is typing` : `${list(names)} are typing`),
  severalTyping: 'Several people are typing',
  offline: 'Offline. What you write is sent when the connection is back.',
  empty: 'Nothing here yet. Say the first word.',
  readOnly: 'Only the owner and moderators can write here.',
  slowMode: (s: number) => count(s, { one: 'Slow mode: # second left', other: 'Slow mode: # seconds left' }),
  join: 'Join',
  from: (name: string, time: string) => `${name}, ${time}`,
  arrived: (name: string, text: string) => `${name}: ${text}`,
  tooLong: (n: number) => count(n, { one: '# character too many', other: '# characters too many' }),
  copied: 'Copied',
  leave: 'Leave room',
  block: 'Block',
  unblock: 'Unblock',
  details: 'Room settings',
  everyoneElse: (n: number) => count(n, { one: '# more', other: '# more' })
}

/** Announcements: what happened in a room. */
export const events = {
  created: (who: string) => `${who} created the room`,
  joined: (who: string) => `${who} joined`,
  left: (who: string) => `${who} left`,
  added: (who: string, whom: string) => `${who} added ${whom}`,
  removed: (who: string, whom: string) => `${who} removed ${whom}`,
  owner: (who: string, whom: string) => `${who} made ${whom} the owner`,
  succeeded: (whom: string) => `${whom} is the owner now`,
  moderator: (who: string, whom: string) => `${who} made ${whom} a moderator`,
  member: (who: string, whom: string) => `${who} made ${whom} a member`,
  renamed: (who: string, name: string) => `${who} named the room “${name}”`,
  pinned: (who: string) => `${who} pinned a message`,
  people: (names: string[], more: number) =>
    list(more === 0 ? names : [...names, count(more, { other: '# others' })]),
  allJoined: (people: string) => `${people} joined`,
  allLeft: (people: string) => `${people} left`,
  counts: {
    added: (n: number) => count(n, { other: '# added' }),
    joined: (n: number) => count(n, { other: '# joined' }),
    left: (n: number) => count(n, { other: '# left' }),
    removed: (n: number) => count(n, { other: '# removed' })
  }
}

export const emoji = {
  title: 'Emoji',
  find: 'Find an emoji',
  recent: 'Recently used',
  none: 'No such emoji',
  groups: ['Smileys', 'People', 'Parts', 'Nature', 'Food', 'Travel', 'Activities', 'Things', 'Signs', 'Flags']
}
