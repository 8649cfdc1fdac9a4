import { counter } from '../plural.ts'

const count = counter('en')

export const settings = {
  title: 'Settings',
  you: 'You',
  edit: 'Edit',
  name: 'Name',
  username: 'Username',
  password: 'Password',
  passwordHint: 'Changing it ends your other sessions',
  oldPassword: 'Current password',
  newPassword: 'New password',
  changePassword: 'Change password',
  changed: 'Changed',
  blocked: 'Blocked people',
  nobodyBlocked: 'You have blocked nobody',
  sessions: 'Sessions',
  thisSession: 'This one',
  end: 'End',
  lastUsed: (when: string) => `Last used ${when}`,
  unknownClient: 'Unknown program',
  appearance: 'Appearance',
  theme: 'Theme',
  asDevice: 'As the device',
  light: 'Light',
  dark: 'Dark',
  textSize: 'Text size',
  language: 'Language',
  writing: 'Writing',
  enterSends: 'Enter sends',
  enterSendsHint: 'Shift+Enter starts a new line',
  tellTyping: 'Show others that I am typing',
  device: 'On this device',
  ofQuota: (quota: string) => `of ${quota}`,
  usedOf: (used: string, quota: string) => `${used} of ${quota} used`,
  deviceHint: (n: number) =>
    count(n, {
      one: '# conversation can be read without a connection.',
      other: '# conversations can be read without a connection.'
    }),
  waiting: 'Waiting to be sent',
  nothing: 'Nothing',
  waitingCount: (n: number) => count(n, { one: '# message', other: '# messages' }),
  notifications: 'Notifications',
  notify: 'Direct messages and mentions',
  notifyHint: 'While this page is in the background',
  notifyRooms: 'Everything in rooms',
  notifyRoomsHint: 'Off: only when somebody mentions you',
  notifyBlocked: 'This browser does not allow them. Change it in the browser’s settings.',
  session: 'Session',
  signOut: 'Sign out',
  signOutHint: 'Messages on this device are erased',
  signOutWaiting: (n: number) =>
    count(n, {
      one: '# message has not been sent and would be lost. Sign out anyway?',
      other: '# messages have not been sent and would be lost. Sign out anyway?'
    }),
  erase: 'Delete account',
  eraseShort: 'With everything that you wrote',
  eraseHint:
    'Your account ends at once, on every device. Your messages and files are deleted in every conversation, ' +
    'and you leave your rooms. Nobody can undo this.',
  erased: 'Your account is deleted',
  keyboard: 'Keyboard shortcuts',
  faults: 'Fault drawer'
}

export const picture = {
  choose: 'Choose a picture',
  change: 'Change the picture',
  remove: 'Remove',
  everybody: 'Everybody sees it',
  place: 'Place the picture',
  hint: 'Drag it, or use the arrow keys, + and −',
  touchHint: 'Drag it, and zoom with two fingers',
  zoom: 'Zoom',
  use: 'Use picture',
  unreadable: 'This browser cannot read the file as a picture'
}

export const keys = {
  title: 'Keyboard shortcuts',
  anywhere: 'Anywhere',
  search: 'Search',
  conversations: 'Previous or next conversation',
  newMessage: 'New message',
  help: 'Keyboard shortcuts',
  reading: 'Reading',
  messages: 'Previous or next message',
  unread: 'Go to the unread line',
  newest: 'Go to the newest',
  writing: 'Writing',
  send: 'Send',
  line: 'New line',
  editLast: 'Edit your last message',
  emoji: 'Emoji',
  cancel: 'Cancel or close',
  onMessage: 'On a message',
  reply: 'Reply',
  react: 'React',
  select: 'Select',
  delete: 'Delete',
  key: {
    ctrl: 'Ctrl',
    alt: 'Alt',
    shift: 'Shift',
    enter: 'Enter',
    esc: 'Esc',
    home: 'Home',
    end: 'End',
    del: 'Delete'
  }
}
