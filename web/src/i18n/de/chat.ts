import type { Texts } from '../en.ts'
import { counter, lister } from '../plural.ts'

const count = counter('de')
const list = lister('de')

export const chat: Texts['chat'] = {
  members: n => count(n, { one: '# Mitglied', other: '# Mitglieder' }),
  hereNow: n => count(n, { one: '# gerade da', other: '# gerade da' }),
  searchHere: 'In dieser Unterhaltung suchen',
  membersPanel: 'Mitglieder',
  messages: 'Nachrichten',
  message: 'Nachricht',
  placeholder: name => `Nachricht an ${name}`,
  send: 'Senden',
  emoji: 'Emoji',
  mention: 'Menschen zum Erwähnen',
  newSince: time => `Neu seit ${time}`,
  newMessages: n => count(n, { one: '# neue Nachricht', other: '# neue Nachrichten' }),
  new: 'Neu',
  waiting: 'Wartet auf eine Verbindung',
  edited: 'bearbeitet',
  deleted: 'Nachricht gelöscht',
  read: 'Gelesen',
  sent: 'Gesendet',
  sending: 'Wird gesendet',
  queued: 'Wartet',
  reply: 'Antworten',
  react: 'Reagieren',
  edit: 'Bearbeiten',
  delete: 'Löschen',
  deleteForAll: 'Für alle löschen',
  deleteForMe: 'Für mich löschen',
  copy: 'Text kopieren',
  copyLink: 'Link kopieren',
  actions: 'Aktionen',
  forward: 'Weiterleiten',
  forwardTo: 'Eine Unterhaltung finden',
  forwarded: 'Weitergeleitet',
  readBy: 'Gelesen von',
  readByNobody: 'Noch niemandem',
  pin: 'Für alle anheften',
  unpin: 'Nicht mehr anheften',
  pinned: 'Angeheftete Nachricht',
  pinnedOf: (n, of) => `Angeheftete Nachricht ${n} von ${of}`,
  allPins: 'Angeheftete Nachrichten',
  select: 'Auswählen',
  selected: n => count(n, { one: '# ausgewählt', other: '# ausgewählt' }),
  selectThis: text => `Auswählen: ${text}`,
  endSelection: 'Auswahl beenden',
  deleteSure: n => count(n, { one: 'Die Nachricht für alle löschen?', other: '# Nachrichten für alle löschen?' }),
  hideSure: n =>
    count(n, {
      one: 'Die Nachricht für dich löschen, auf all deinen Geräten? Die anderen behalten sie.',
      other: '# Nachrichten für dich löschen, auf all deinen Geräten? Die anderen behalten sie.'
    }),
  clear: 'Verlauf leeren',
  clearSure: 'Den Verlauf für dich leeren, auf all deinen Geräten? Die anderen behalten ihn.',
  moreEmoji: 'Mehr Emoji',
  replyTo: name => `Antwort an ${name}`,
  noReply: 'Nicht antworten',
  editing: 'Deine Nachricht bearbeiten',
  noEdit: 'Nicht bearbeiten',
  reaction: (emoji, n, names) => `${emoji} ${n}${names === '' ? '' : `, ${names}`}`,
  toNewest: 'Zur neuesten',
  below: n => count(n, { one: '# darunter, zur neuesten', other: '# darunter, zur neuesten' }),
  typing: names => (names.length === 1 ? `${names[0] ?? ''} schreibt` : `${list(names)} schreiben`),
  severalTyping: 'Mehrere schreiben',
  offline: 'Offline. Was du schreibst, geht hinaus, sobald die Verbindung wieder da ist.',
  empty: 'Noch nichts hier. Sag das erste Wort.',
  readOnly: 'Hier schreibt nur, wer den Raum leitet.',
  slowMode: s => count(s, { one: 'Langsamer Modus: noch # Sekunde', other: 'Langsamer Modus: noch # Sekunden' }),
  join: 'Beitreten',
  from: (name, time) => `${name}, ${time}`,
  arrived: (name, text) => `${name}: ${text}`,
  tooLong: n => count(n, { one: '# Zeichen zu viel', other: '# Zeichen zu viel' }),
  copied: 'Kopiert',
  leave: 'Raum verlassen',
  block: 'Blockieren',
  unblock: 'Freigeben',
  details: 'Raumeinstellungen',
  everyoneElse: n => count(n, { one: '# weitere', other: '# weitere' })
}

export const events: Texts['events'] = {
  created: who => `${who} hat den Raum erstellt`,
  joined: who => `${who} ist beigetreten`,
  left: who => `${who} hat den Raum verlassen`,
  added: (who, whom) => `${who} hat ${whom} hinzugefügt`,
  removed: (who, whom) => `${who} hat ${whom} entfernt`,
  owner: (who, whom) => `${who} hat ${whom} den Raum übergeben`,
  succeeded: whom => `${whom} leitet den Raum jetzt`,
  moderator: (who, whom) => `${who} hat ${whom} die Moderation gegeben`,
  member: (who, whom) => `${who} hat ${whom} die Moderation genommen`,
  renamed: (who, name) => `${who} hat den Raum „${name}“ genannt`,
  pinned: who => `${who} hat eine Nachricht angeheftet`,
  people: (names, more) =>
    list(more === 0 ? names : [...names, count(more, { other: '# weitere' })]),
  allJoined: people => `${people} sind beigetreten`,
  allLeft: people => `${people} haben den Raum verlassen`,
  counts: {
    added: n => count(n, { other: '# hinzugefügt' }),
    joined: n => count(n, { other: '# beigetreten' }),
    left: n => count(n, { other: '# gegangen' }),
    removed: n => count(n, { other: '# entfernt' })
  }
}

export const emoji: Texts['emoji'] = {
  title: 'Emoji',
  find: 'Ein Emoji finden',
  recent: 'Zuletzt benutzt',
  none: 'Kein solches Emoji',
  groups: ['Smileys', 'Menschen', 'Teile', 'Natur', 'Essen', 'Reisen', 'Freizeit', 'Dinge', 'Zeichen', 'Flaggen']
}
