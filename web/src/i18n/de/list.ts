import type { Texts } from '../en.ts'
import { counter } from '../plural.ts'

const count = counter('de')

export const list: Texts['list'] = {
  empty: 'Menschen und Räume, denen du schreibst, stehen hier.',
  draft: 'Entwurf:',
  typing: 'schreibt',
  someoneTyping: name => `${name} schreibt`,
  deleted: 'Nachricht gelöscht',
  notSent: why => `Nicht gesendet: ${why}`,
  unread: n => count(n, { one: '# ungelesen', other: '# ungelesen' }),
  mentioned: 'Du bist erwähnt',
  preview: (name, text) => `${name}: ${text}`,
  youPreview: text => `Du: ${text}`
}

export const hello: Texts['hello'] = {
  title: 'Sag hallo',
  lead: 'Wähle jemanden oder einen Raum. Du kannst sofort schreiben, auch ohne Verbindung.',
  find: 'Jemanden finden',
  placeholder: 'Name oder Benutzername',
  sayHello: 'Sag hallo',
  everyone: 'Alle auf diesem Server',
  allRooms: 'Alle Räume',
  invitation: 'Du erwartest eine Einladung? Sie erscheint von selbst in deiner Liste.',
  nobody: q => `Niemand heißt „${q}“`,
  people: 'Menschen'
}

export const settle: Texts['settle'] = {
  pin: 'Oben anheften',
  unpin: 'Nicht mehr anheften',
  mute: 'Stummschalten',
  unmute: 'Nicht mehr stumm',
  forHours: n => count(n, { one: 'Für eine Stunde', other: 'Für # Stunden' }),
  forDays: n => count(n, { one: 'Für einen Tag', other: 'Für # Tage' }),
  forever: 'Bis ich es aufhebe',
  markRead: 'Als gelesen markieren',
  markUnread: 'Als ungelesen markieren',
  archive: 'Archivieren',
  unarchive: 'Aus dem Archiv holen',
  pinned: 'Angeheftet',
  muted: 'Stumm',
  marked: 'Als ungelesen markiert',
  archived: n => count(n, { one: '# im Archiv', other: '# im Archiv' }),
  of: title => `Mehr: ${title}`
}
