import type { Texts } from '../en.ts'
import { counter } from '../plural.ts'

const count = counter('de')

export const rooms: Texts['rooms'] = {
  title: 'Räume',
  browse: 'Stöbern',
  create: 'Anlegen',
  find: 'Einen Raum finden',
  join: 'Beitreten',
  joining: 'Tritt bei',
  joined: 'Dabei',
  members: n => count(n, { one: '# Mitglied', other: '# Mitglieder' }),
  private: members => `${members}, privat`,
  count: n => count(n, { one: '# Raum.', other: '# Räume.' }),
  privateHint: 'Private sehen nur ihre Mitglieder.',
  none: 'Noch kein Raum. Leg den ersten an.',
  noneFound: q => `Kein Raum heißt „${q}“`,
  name: 'Name',
  of: (n, max) => `${n} von ${max} Zeichen`,
  topic: 'Thema',
  topicHint: 'In einer Zeile, beim Namen',
  description: 'Beschreibung',
  isPrivate: 'Privat',
  isPrivateHint: 'Nur wen du hinzufügst, kommt hinein, und sonst erfährt niemand davon',
  history: 'Neue Mitglieder sehen',
  everything: 'Alles',
  sinceJoined: 'Ab dem Beitritt',
  people: 'Menschen',
  addSomeone: 'Jemanden hinzufügen',
  remove: name => `${name} entfernen`,
  createRoom: 'Raum anlegen',
  settings: 'Raumeinstellungen',
  deleteRoom: 'Raum löschen',
  deleteSure: 'Den Raum und alles darin löschen, für alle?',
  leaveSure: 'Diesen Raum verlassen?'
}

export const members: Texts['members'] = {
  title: 'Mitglieder',
  add: 'Menschen hinzufügen',
  find: 'Ein Mitglied finden',
  owner: 'Inhaber',
  moderator: 'Moderator',
  here: 'Gerade da',
  notHere: 'Nicht da',
  message: 'Nachricht',
  makeModerator: 'Zum Moderator machen',
  makeMember: 'Zum Mitglied machen',
  makeOwner: 'Zum Inhaber machen',
  remove: 'Aus dem Raum entfernen',
  ban: 'Sperren',
  banned: 'Gesperrte Menschen',
  nobodyBanned: 'Niemand ist aus diesem Raum gesperrt',
  unban: 'Sperre aufheben',
  handleYou: username => `@${username}, du`
}
