import type { Texts } from '../en.ts'

export const search: Texts['search'] = {
  title: 'Suchen',
  placeholder: 'Wörter, Menschen, Räume',
  clear: 'Leeren',
  all: 'Alles',
  messages: 'Nachrichten',
  rooms: 'Räume',
  people: 'Menschen',
  roomsAndPeople: 'Räume und Menschen',
  in: name => `in ${name}`,
  toYou: 'an dich',
  withWhom: name => `an ${name}`,
  nothing: q => `Nichts gefunden zu „${q}“`,
  hint: 'Finde Nachrichten nach ihren Wörtern, Menschen und Räume nach ihren Namen.',
  more: 'Ältere Nachrichten suchen',
  anywhere: 'Überall',
  here: name => `Nur in ${name}`
}
