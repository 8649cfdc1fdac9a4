export const search = {
  title: 'Search',
  placeholder: 'Words, people, rooms',
  clear: 'Clear',
  all: 'All',
  messages: 'Messages',
  rooms: 'Rooms',
  people: 'People',
  roomsAndPeople: 'Rooms and people',
  in: (name: string) => `in ${name}`,
  toYou: 'to you',
  withWhom: (name: string) => `to ${name}`,
  nothing: (q: string) => `Nothing found for “${q}”`,
  hint: 'Find messages by their words, people and rooms by their names.',
  more: 'Search older messages',
  anywhere: 'Anywhere',
  here: (name: string) => `Only in ${name}`
}
