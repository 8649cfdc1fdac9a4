import type { Texts } from '../en.ts'
import { counter } from '../plural.ts'

const count = counter('de')

export const settings: Texts['settings'] = {
  title: 'Einstellungen',
  you: 'Du',
  edit: 'Bearbeiten',
  name: 'Name',
  username: 'Benutzername',
  password: 'Passwort',
  passwordHint: 'Ändern beendet deine anderen Sitzungen',
  oldPassword: 'Jetziges Passwort',
  newPassword: 'Neues Passwort',
  changePassword: 'Passwort ändern',
  changed: 'Geändert',
  blocked: 'Blockierte Menschen',
  nobodyBlocked: 'Du hast niemanden blockiert',
  sessions: 'Sitzungen',
  thisSession: 'Diese',
  end: 'Beenden',
  lastUsed: when => `Zuletzt benutzt ${when}`,
  unknownClient: 'Unbekanntes Programm',
  appearance: 'Aussehen',
  theme: 'Farben',
  asDevice: 'Wie das Gerät',
  light: 'Hell',
  dark: 'Dunkel',
  textSize: 'Schriftgröße',
  language: 'Sprache',
  writing: 'Schreiben',
  enterSends: 'Enter sendet',
  enterSendsHint: 'Umschalt+Enter beginnt eine neue Zeile',
  tellTyping: 'Anderen zeigen, dass ich schreibe',
  device: 'Auf diesem Gerät',
  ofQuota: quota => `von ${quota}`,
  usedOf: (used, quota) => `${used} von ${quota} belegt`,
  deviceHint: n =>
    count(n, {
      one: '# Unterhaltung ist ohne Verbindung lesbar.',
      other: '# Unterhaltungen sind ohne Verbindung lesbar.'
    }),
  waiting: 'Wartet auf das Senden',
  nothing: 'Nichts',
  waitingCount: n => count(n, { one: '# Nachricht', other: '# Nachrichten' }),
  notifications: 'Benachrichtigungen',
  notify: 'Direkte Nachrichten und Erwähnungen',
  notifyHint: 'Während diese Seite im Hintergrund ist',
  notifyRooms: 'Alles in Räumen',
  notifyRoomsHint: 'Aus: nur wenn dich jemand erwähnt',
  notifyBlocked: 'Dieser Browser erlaubt sie nicht. Das lässt sich in seinen Einstellungen ändern.',
  session: 'Sitzung',
  signOut: 'Abmelden',
  signOutHint: 'Nachrichten auf diesem Gerät werden gelöscht',
  signOutWaiting: n =>
    count(n, {
      one: '# Nachricht ist noch nicht gesendet und ginge verloren. Trotzdem abmelden?',
      other: '# Nachrichten sind noch nicht gesendet und gingen verloren. Trotzdem abmelden?'
    }),
  erase: 'Konto löschen',
  eraseShort: 'Mit allem, was du geschrieben hast',
  eraseHint:
    'Dein Konto endet sofort, auf jedem Gerät. Deine Nachrichten und Dateien werden in jeder Unterhaltung gelöscht, ' +
    'und du verlässt deine Räume. Niemand kann das rückgängig machen.',
  erased: 'Dein Konto ist gelöscht',
  keyboard: 'Tastenkürzel',
  faults: 'Störungen'
}

export const picture: Texts['picture'] = {
  choose: 'Bild wählen',
  change: 'Bild ändern',
  remove: 'Entfernen',
  everybody: 'Alle sehen es',
  place: 'Bild zurechtrücken',
  hint: 'Ziehen, oder Pfeiltasten, + und −',
  touchHint: 'Ziehen, mit zwei Fingern vergrößern',
  zoom: 'Vergrößern',
  use: 'Bild verwenden',
  unreadable: 'Dieser Browser kann die Datei nicht als Bild lesen'
}

export const keys: Texts['keys'] = {
  title: 'Tastenkürzel',
  anywhere: 'Überall',
  search: 'Suchen',
  conversations: 'Vorige oder nächste Unterhaltung',
  newMessage: 'Neue Nachricht',
  help: 'Tastenkürzel',
  reading: 'Lesen',
  messages: 'Vorige oder nächste Nachricht',
  unread: 'Zur Linie der neuen',
  newest: 'Zur neuesten',
  writing: 'Schreiben',
  send: 'Senden',
  line: 'Neue Zeile',
  editLast: 'Letzte eigene bearbeiten',
  emoji: 'Emoji',
  cancel: 'Abbrechen oder schließen',
  onMessage: 'An einer Nachricht',
  reply: 'Antworten',
  react: 'Reagieren',
  select: 'Auswählen',
  delete: 'Löschen',
  key: {
    ctrl: 'Strg',
    alt: 'Alt',
    shift: 'Umschalt',
    enter: 'Enter',
    esc: 'Esc',
    home: 'Pos1',
    end: 'Ende',
    del: 'Entf'
  }
}
