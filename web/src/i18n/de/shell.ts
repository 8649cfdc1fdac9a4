import type { Texts } from '../en.ts'
import { counter } from '../plural.ts'

const count = counter('de')

export const app: Texts['app'] = {
  name: 'Tidelog',
  skip: 'Zu den Nachrichten springen',
  conversations: 'Unterhaltungen',
  search: 'Suchen',
  searchKeys: 'Strg K',
  rooms: 'Räume',
  newMessage: 'Neue Nachricht',
  new: 'Neu',
  settings: 'Einstellungen',
  back: 'Zurück',
  close: 'Schließen',
  more: 'Mehr',
  cancel: 'Abbrechen',
  save: 'Speichern',
  retry: 'Nochmal',
  tryAgain: 'Nochmal versuchen',
  common: 'Alle',
  commonHint: 'Hier sind alle dabei',
  you: 'du',
  someone: 'Jemand',
  update: 'Eine neue Version ist da',
  updateNow: 'Neu laden',
  updateLater: 'Später',
  noHost: 'Die Seite ringsum sagt nicht, wer du bist'
}

export const tide: Texts['tide'] = {
  live: 'Auf dem Stand',
  syncing: 'Holt auf',
  offline: 'Offline',
  offlineWaiting: n => count(n, { one: 'Offline, # wartet', other: 'Offline, # warten' }),
  tryNow: 'Jetzt versuchen',
  expired: 'Vom Server abgemeldet',
  signInAgain: 'Neu anmelden'
}

export const presence: Texts['presence'] = {
  here: name => `${name}, gerade da`,
  hereNow: 'Gerade da',
  seen: when => `Zuletzt da ${when}`
}

export const time: Texts['time'] = {
  now: 'Jetzt',
  today: 'Heute',
  yesterday: 'Gestern'
}

export const errors: Texts['errors'] = {
  OFFLINE: 'Keine Verbindung',
  TIMEOUT: 'Der Server hat nicht rechtzeitig geantwortet',
  STORAGE: 'Dieses Gerät kann es nicht speichern',
  NO_SESSION: 'Melde dich zuerst an',
  READ_ONLY: 'Hier schreibt nur, wer den Raum leitet',
  SLOW_MODE: 'Langsamer Modus: warte etwas, bevor du wieder schreibst',
  NOT_ALLOWED: 'Nicht erlaubt',
  NOT_FOUND: 'Es ist nicht mehr da',
  USER_NOT_FOUND: 'Dieser Mensch ist nicht mehr hier',
  RATE_LIMITED: 'Zu viel auf einmal. Versuch es gleich nochmal.',
  TOO_LARGE: 'Es ist zu groß',
  QUOTA_EXCEEDED: 'Deine Dateien brauchen allen Platz, den du hast',
  UNSUPPORTED_MEDIA_TYPE: 'Dateien dieser Art werden hier nicht angenommen',
  STORAGE_FULL: 'Der Server hat keinen Platz mehr für Dateien',
  VALIDATION: 'Der Server nimmt das nicht an',
  CONFLICT: 'Jemand hat es inzwischen geändert',
  INVALID_CREDENTIALS: 'Das Passwort stimmt nicht',
  TAKEN: 'Es ist schon vergeben',
  other: 'Es hat nicht geklappt',
  failed: what => `Die Seite konnte nicht gezeigt werden: ${what}`
}
