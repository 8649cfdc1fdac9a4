import { counter } from '../plural.ts'

const count = counter('en')

export const app = {
  name: 'Tidelog',
  skip: 'Skip to the messages',
  conversations: 'Conversations',
  search: 'Search',
  searchKeys: 'Ctrl K',
  rooms: 'Rooms',
  newMessage: 'New message',
  new: 'New',
  settings: 'Settings',
  back: 'Back',
  close: 'Close',
  more: 'More',
  cancel: 'Cancel',
  save: 'Save',
  retry: 'Retry',
  tryAgain: 'Try again',
  common: 'Common',
  commonHint: 'Everyone here is in it',
  you: 'you',
  someone: 'Someone',
  update: 'A new version is ready',
  updateNow: 'Reload',
  updateLater: 'Later',
  noHost: 'The page around this chat does not say who you are'
}

export const tide = {
  live: 'Up to date',
  syncing: 'Catching up',
  offline: 'Offline',
  offlineWaiting: (n: number) => count(n, { one: 'Offline, # waiting', other: 'Offline, # waiting' }),
  tryNow: 'Try now',
  expired: 'Signed out by the server',
  signInAgain: 'Sign in again'
}

export const presence = {
  here: (name: string) => `${name}, here now`,
  hereNow: 'Here now',
  seen: (when: string) => `Seen ${when}`
}

export const time = {
  now: 'Now',
  today: 'Today',
  yesterday: 'Yesterday'
}

export const errors = {
  OFFLINE: 'No connection',
  TIMEOUT: 'The server did not answer in time',
  STORAGE: 'This device cannot store it',
  NO_SESSION: 'Sign in first',
  READ_ONLY: 'Only the owner and moderators can write here',
  SLOW_MODE: 'Slow mode: wait a moment before you write again',
  NOT_ALLOWED: 'Not allowed',
  NOT_FOUND: 'It no longer exists',
  USER_NOT_FOUND: 'This person is not here any more',
  RATE_LIMITED: 'Too much at once. Try again in a moment.',
  TOO_LARGE: 'It is too large',
  QUOTA_EXCEEDED: 'Your files have used up the space that you have',
  UNSUPPORTED_MEDIA_TYPE: 'Files of this type are not accepted here',
  STORAGE_FULL: 'The server has no space left for files',
  VALIDATION: 'The server cannot accept this',
  CONFLICT: 'Somebody else has changed it',
  INVALID_CREDENTIALS: 'The password is wrong',
  TAKEN: 'It is already taken',
  other: 'It did not work',
  failed: (what: string) => `The page could not be shown: ${what}`
}
