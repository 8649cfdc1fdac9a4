import type { Texts } from '../en.ts'
import { counter } from '../plural.ts'

const count = counter('de')

export const files: Texts['files'] = {
  attach: 'Datei anhängen',
  photos: 'Fotos und Videos',
  camera: 'Kamera',
  anyFile: 'Datei',
  chosen: 'Dateien zum Senden',
  remove: name => `${name} nicht senden`,
  original: 'Originaldateien',
  withoutPlace: 'Ohne den Ort der Aufnahme',
  withPlace: 'Mit Ort und Gerät der Aufnahme',
  tooMany: max => `Eine Nachricht trägt höchstens ${max} Dateien`,
  open: name => (name === '' ? 'Bild öffnen' : `${name} öffnen`),
  download: name => (name === '' ? 'Herunterladen' : `${name} herunterladen`),
  uploading: 'Wird hochgeladen',
  stop: 'Nicht senden',
  viewer: 'Bild',
  before: 'Bild davor',
  next: 'Nächstes Bild',
  smaller: 'Kleiner',
  larger: 'Größer',
  of: (n, of) => `${n} von ${of}`,
  pictures: n => count(n, { one: 'Bild', other: '# Bilder' }),
  videos: n => count(n, { one: 'Video', other: '# Videos' }),
  sounds: n => count(n, { one: 'Ton', other: '# Tonaufnahmen' }),
  files: n => count(n, { one: 'Datei', other: '# Dateien' })
}
