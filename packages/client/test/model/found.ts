import type { Spec } from './spec.ts'

/** Histories that have shown a defect, named after it. They run before the random ones. */
export const found: Record<string, Spec> = {
  'a head that was told before the database was restored counts for the connection after it': {
    limit: 1,
    tabs: 1,
    showsAll: false,
    diesAt: 1,
    isStored: false,
    refusedAt: 1,
    endsPolling: false,
    steps: [
      { type: 'send', tab: 0, place: 0, pick: 0 },
      { type: 'say', place: 1, pick: 0 },
      { type: 'send', tab: 0, place: 0, pick: 0 },
      { type: 'backUp' },
      { type: 'connect' },
      { type: 'say', place: 1, pick: 0 },
      { type: 'deliver', tab: 0, order: 0, fate: 'once' },
      { type: 'beat' },
      { type: 'send', tab: 0, place: 1, pick: 0 },
      { type: 'restore' },
      { type: 'deliver', tab: 0, order: 0, fate: 'once' }
    ]
  }
}
