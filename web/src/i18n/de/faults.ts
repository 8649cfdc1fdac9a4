import type { Texts } from '../en.ts'
import { counter, lister } from '../plural.ts'

const count = counter('de')
const list = lister('de')

export const faults: Texts['faults'] = {
  title: 'Störungen',
  tag: 'Entwicklung',
  goOffline: 'Offline gehen',
  goOnline: 'Online gehen',
  killSocket: 'Verbindung kappen',
  freezeLeader: 'Leiter einfrieren',
  copy: 'Bericht kopieren',
  incoming: 'Was hereinkommt',
  drop: 'Verlieren',
  dropHint: 'Kommt nie an',
  delay: 'Verzögern',
  delayHint: 'Kommt später an',
  double: 'Verdoppeln',
  doubleHint: 'Kommt zweimal an',
  reorder: 'Vertauschen',
  reorderHint: 'Überholt',
  howMuch: name => `${name}: wie viel`,
  thisDevice: 'Dieses Gerät',
  skew: 'Uhr',
  skewHint: 'Minuten voraus',
  full: 'Speicher',
  fullHint: 'Nichts passt mehr hinein',
  held: 'Hier vorhandene Seqs',
  gaps: n => count(n, { one: '# Lücke', other: '# Lücken' }),
  fromTo: (from, to) => (from === to ? String(from) : `${from} bis ${to}`),
  missing: gaps => `Es fehlen ${list(gaps)}`,
  term: n => `Amtszeit ${n}`,
  traffic: 'Verkehr',
  cursors: 'Stände',
  cursor: 'Stand',
  log: 'Log',
  rev: 'Rev',
  unread: 'ungelesen',
  outbox: 'Ausgang',
  operation: 'Vorgang',
  state: 'Zustand',
  tries: 'Versuche',
  leads: 'führt: dieser Tab',
  follows: 'führt: ein anderer Tab'
}
