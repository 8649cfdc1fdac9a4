import { counter } from '../plural.ts'

const count = counter('en')

export const rooms = {
  title: 'Rooms',
  browse: 'Browse',
  create: 'Create',
  find: 'Find a room',
  join: 'Join',
  joining: 'Joining',
  joined: 'Joined',
  members: (n: number) => count(n, { one: '# member', other: '# members' }),
  private: (members: string) => `${members}, private`,
  count: (n: number) => count(n, { one: '# room.', other: '# rooms.' }),
  privateHint: 'Private ones show only to their members.',
  none: 'No room yet. Create the first.',
  noneFound: (q: string) => `No room is called “${q}”`,
  name: 'Name',
  of: (n: number, max: number) => `${n} of ${max} characters`,
  topic: 'Topic',
  topicHint: 'In one line, beside the name',
  description: 'Description',
  isPrivate: 'Private',
  isPrivateHint: 'Only people you add get in, and nobody else learns that it is there',
  history: 'New members see',
  everything: 'Everything',
  sinceJoined: 'From when they join',
  people: 'People',
  addSomeone: 'Add someone',
  remove: (name: string) => `Remove ${name}`,
  createRoom: 'Create room',
  settings: 'Room settings',
  deleteRoom: 'Delete room',
  deleteSure: 'Delete the room and everything in it, for everybody?',
  leaveSure: 'Leave this room?'
}

export const members = {
  title: 'Members',
  add: 'Add people',
  find: 'Find a member',
  owner: 'Owner',
  moderator: 'Moderator',
  here: 'Here now',
  notHere: 'Not here',
  message: 'Message',
  makeModerator: 'Make moderator',
  makeMember: 'Make member',
  makeOwner: 'Make owner',
  remove: 'Remove from room',
  ban: 'Ban',
  banned: 'Banned people',
  nobodyBanned: 'Nobody is banned from this room',
  unban: 'Lift the ban',
  handleYou: (username: string) => `@${username}, you`
}
