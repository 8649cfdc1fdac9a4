import type { Spec } from './spec.ts'

/** One node, nothing fails, and half of the reads of rows are late. */
const readingLate: Omit<Spec, 'seed' | 'steps'> = {
  faults: 0,
  loss: 0,
  lag: 0.5,
  share: false,
  nodes: 1,
  replicates: false,
  calm: false,
  batchCountMax: 1,
  clocks: [0, 0, 0],
  clients: [{ user: 0, live: true, limit: 4 }]
}

/** Histories that have shown a defect, named after it. They run before the random ones. */
export const found: Record<string, Spec> = {
  'a message is stored, its sender is refused after a late look, because they leave in the same batch': {
    seed: 1_098_180_041,
    faults: 0.1,
    loss: 0,
    lag: 0.3,
    elections: false,
    share: false,
    bulk: false,
    nodes: 1,
    replicates: true,
    calm: false,
    batchCountMax: 8,
    clocks: [0, 0, 0],
    clients: [
      { user: 0, live: false, limit: 1, newest: 50, only: false },
      { user: 2, live: true, limit: 2, newest: 50, only: false }
    ],
    timeReaders: [],
    steps: [
      { type: 'membership', user: 2, node: 1, role: null },
      { type: 'edit', user: 1, node: 1, target: 0 },
      { type: 'crash', node: 0 },
      { type: 'sync', client: 1 },
      { type: 'clientCrash', client: 0 },
      { type: 'read', user: 2, node: 1, place: 0, seq: 1 },
      { type: 'membership', user: 2, node: 2, role: 'member' },
      { type: 'leave', client: 0 },
      { type: 'membership', user: 0, node: 0, role: 'member' },
      { type: 'membership', user: 0, node: 2, role: 'member' },
      { type: 'send', user: 2, node: 0, place: 1, clientId: null, big: false, alsoRead: false },
      { type: 'edit', user: 1, node: 1, target: 0 },
      { type: 'membership', user: 0, node: 1, role: 'member' },
      { type: 'membership', user: 1, node: 0, role: 'member' },
      { type: 'edit', user: 0, node: 2, target: 0 },
      { type: 'read', user: 2, node: 0, place: 0, seq: 1 },
      { type: 'send', user: 2, node: 2, place: 0, clientId: null, big: false, alsoRead: false },
      { type: 'membership', user: 2, node: 0, role: 'member' },
      { type: 'clear', user: 0, node: 1, place: 0, seq: 1 }
    ]
  },
  'the resync of who was let into a room by a look is lost, and no beat tells of the room again': {
    seed: 1_502_278_107,
    faults: 0.3,
    loss: 0.5,
    share: false,
    nodes: 3,
    replicates: true,
    calm: false,
    batchCountMax: 1,
    clocks: [0, 0, 0],
    clients: [
      { user: 0, live: false, limit: 1 },
      { user: 0, live: true, limit: 1 },
      { user: 2, live: true, limit: 1 }
    ],
    steps: [
      { type: 'send', user: 0, node: 1, place: 2, clientId: null, big: false },
      { type: 'clientCrash', client: 0 },
      { type: 'send', user: 1, node: 1, place: 1, clientId: null, big: false },
      { type: 'send', user: 0, node: 0, place: 0, clientId: null, big: false },
      { type: 'membership', user: 0, node: 2, role: null },
      { type: 'membership', user: 2, node: 0, role: 'member' },
      { type: 'send', user: 1, node: 0, place: 0, clientId: null, big: false },
      { type: 'membership', user: 1, node: 0, role: 'member' },
      { type: 'failover' },
      { type: 'beat', node: 1 },
      { type: 'edit', user: 0, node: 2, target: 0 },
      { type: 'sync', client: 2 },
      { type: 'send', user: 1, node: 0, place: 1, clientId: null, big: false },
      { type: 'clientCrash', client: 0 }
    ]
  },
  'a message moves away behind a page that is full up to the head, and there is said to be no more': {
    seed: 860_604_780,
    faults: 0.1,
    loss: 0,
    share: false,
    nodes: 1,
    replicates: true,
    calm: false,
    batchCountMax: 1,
    clocks: [0, 0, 0],
    clients: [
      { user: 0, live: false, limit: 3 },
      { user: 0, live: false, limit: 1 },
      { user: 0, live: true, limit: 1 },
      { user: 0, live: true, limit: 1 }
    ],
    steps: [
      { type: 'send', user: 0, node: 0, place: 2, clientId: null, big: false },
      { type: 'edit', user: 0, node: 1, target: 0 },
      { type: 'send', user: 0, node: 2, place: 2, clientId: null, big: false },
      { type: 'edit', user: 1, node: 0, target: 0 },
      { type: 'send', user: 0, node: 1, place: 0, clientId: null, big: false },
      { type: 'sync', client: 0 },
      { type: 'clientCrash', client: 0 },
      { type: 'read', user: 1, node: 1, place: 0, seq: 1 },
      { type: 'send', user: 2, node: 0, place: 1, clientId: null, big: false },
      { type: 'leave', client: 1 },
      { type: 'edit', user: 0, node: 2, target: 0 },
      { type: 'leave', client: 3 },
      { type: 'sync', client: 0 },
      { type: 'send', user: 0, node: 0, place: 2, clientId: null, big: false },
      { type: 'send', user: 1, node: 2, place: 2, clientId: null, big: false },
      { type: 'block', user: 0, node: 1, other: 0, on: false }
    ]
  },
  'somebody comes into a room, reads and leaves it in one commit': {
    seed: 1_634_395_511,
    faults: 0,
    loss: 0,
    share: false,
    nodes: 1,
    replicates: false,
    calm: false,
    batchCountMax: 8,
    clocks: [0, 0, 0],
    clients: [
      { user: 0, live: true, limit: 1 }
    ],
    steps: [
      { type: 'membership', user: 0, node: 0, role: 'member' },
      { type: 'edit', user: 0, node: 1, target: 0 },
      { type: 'leave', client: 0 },
      { type: 'crash', node: 0 },
      { type: 'membership', user: 0, node: 2, role: 'member' },
      { type: 'send', user: 1, node: 2, place: 1, clientId: null, big: false },
      { type: 'send', user: 1, node: 2, place: 0, clientId: null, big: false },
      { type: 'membership', user: 1, node: 0, role: 'member' },
      { type: 'restore', commits: 0 },
      { type: 'membership', user: 0, node: 0, role: null },
      { type: 'edit', user: 0, node: 1, target: 0 },
      { type: 'send', user: 1, node: 0, place: 0, clientId: null, big: false },
      { type: 'read', user: 0, node: 2, place: 1, seq: 1 },
      { type: 'edit', user: 1, node: 1, target: 0 },
      { type: 'history', user: 0, node: 0, history: 'all' }
    ]
  },
  'two nodes delete one message, and neither hears whether its commit was made': {
    seed: 217_649_987,
    faults: 0.3,
    loss: 0.2,
    share: false,
    nodes: 3,
    replicates: true,
    calm: false,
    batchCountMax: 1,
    clocks: [0, 5_000, 0],
    clients: [
      { user: 0, live: true, limit: 1 },
      { user: 0, live: true, limit: 1 },
      { user: 1, live: true, limit: 1 }
    ],
    steps: [
      { type: 'leave', client: 0 },
      { type: 'send', user: 2, node: 0, place: 1, clientId: null, big: false },
      { type: 'sync', client: 0 },
      { type: 'history', user: 0, node: 0, history: 'all' },
      { type: 'delete', user: 2, node: 0, target: 0 },
      { type: 'delete', user: 0, node: 1, target: 0 },
      { type: 'clientCrash', client: 1 },
      { type: 'block', user: 1, node: 1, other: 1, on: false },
      { type: 'failover' },
      { type: 'purge', user: 1, node: 1, place: 0, throughSeq: 1 },
      { type: 'send', user: 0, node: 1, place: 1, clientId: null, big: false },
      { type: 'send', user: 1, node: 1, place: 2, clientId: null, big: false },
      { type: 'sync', client: 0 },
      { type: 'send', user: 0, node: 0, place: 1, clientId: null, big: false },
      { type: 'history', user: 0, node: 0, history: 'all' },
      { type: 'read', user: 2, node: 1, place: 1, seq: 1 },
      { type: 'read', user: 1, node: 0, place: 1, seq: 1 },
      { type: 'send', user: 0, node: 0, place: 0, clientId: null, big: false },
      { type: 'send', user: 1, node: 1, place: 1, clientId: null, big: false }
    ]
  },
  'a message is pinned on a row that was read before its deletion': {
    ...readingLate,
    seed: 1,
    steps: [
      { type: 'membership', user: 0, node: 0, role: 'member' },
      { type: 'send', user: 0, node: 0, place: 1, clientId: null, big: false },
      { type: 'delete', user: 0, node: 0, target: 0 },
      { type: 'pin', user: 0, node: 0, target: 0, on: true }
    ]
  },
  'a message is deleted, and its pin stays, because the pins were read from before it': {
    ...readingLate,
    seed: 33,
    steps: [
      { type: 'membership', user: 0, node: 0, role: 'member' },
      { type: 'send', user: 0, node: 0, place: 1, clientId: null, big: false },
      { type: 'pin', user: 0, node: 0, target: 0, on: true },
      { type: 'pin', user: 0, node: 0, target: 0, on: false },
      { type: 'pin', user: 0, node: 0, target: 0, on: true },
      { type: 'delete', user: 0, node: 0, target: 0 }
    ]
  },
  'a room gets back earlier settings, which its row had when it was read, and the change gets no rev': {
    ...readingLate,
    seed: 1,
    steps: [
      { type: 'membership', user: 0, node: 0, role: 'member' },
      { type: 'send', user: 0, node: 0, place: 1, clientId: null, big: false },
      { type: 'rename', user: 0, node: 0, content: 1 },
      { type: 'rename', user: 0, node: 0, content: 2 },
      { type: 'rename', user: 0, node: 0, content: 1 },
      { type: 'rename', user: 0, node: 0, content: 2 },
      { type: 'rename', user: 0, node: 0, content: 1 },
      { type: 'rename', user: 0, node: 0, content: 2 }
    ]
  },
  'a socket that went away is told a head, and the one that stayed is taken for it': {
    seed: 1_005_223_215,
    faults: 0.3,
    loss: 0.5,
    lag: 0,
    share: false,
    nodes: 3,
    replicates: false,
    calm: false,
    batchCountMax: 8,
    clocks: [-5_000, 1, 0],
    clients: [
      { user: 0, live: false, limit: 4, newest: 50, only: false },
      { user: 2, live: true, limit: 4, newest: 'all', only: true },
      { user: 2, live: true, limit: 1, newest: 1, only: false }
    ],
    timeReaders: [1],
    steps: [
      { type: 'send', user: 2, node: 0, place: 0, clientId: 3, big: false, alsoRead: false },
      { type: 'hide', user: 1, node: 0, place: 0, seq: 1 },
      { type: 'pin', user: 1, node: 1, target: 1, on: true },
      { type: 'membership', user: 0, node: 0, role: null },
      { type: 'membership', user: 2, node: 2, role: null },
      { type: 'crash', node: 0 },
      { type: 'send', user: 0, node: 0, place: 0, clientId: 2, big: false, alsoRead: false },
      { type: 'edit', user: 2, node: 1, target: 1 },
      { type: 'edit', user: 0, node: 0, target: 1 },
      { type: 'leave', client: 2 },
      { type: 'send', user: 1, node: 2, place: 2, clientId: 1, big: true, alsoRead: true },
      { type: 'send', user: 1, node: 2, place: 1, clientId: 3, big: false, alsoRead: false }
    ]
  },
  'a watermark is dropped after a removal of unknown outcome, and the next change seems to be the first': {
    seed: 1_146_961_230,
    faults: 0.3,
    loss: 0.2,
    lag: 0,
    share: true,
    nodes: 3,
    replicates: true,
    calm: false,
    batchCountMax: 8,
    clocks: [-5_000, 0, -5_000],
    clients: [
      { user: 0, live: true, limit: 2, newest: 0, only: false }
    ],
    timeReaders: [],
    steps: [
      { type: 'pin', user: 0, node: 1, target: 1, on: true },
      { type: 'pin', user: 1, node: 1, target: 0, on: true },
      { type: 'hide', user: 1, node: 0, place: 1, seq: 2 },
      { type: 'delete', user: 2, node: 0, target: 20 },
      { type: 'sync', client: 3 },
      { type: 'membership', user: 0, node: 1, role: 'member' },
      { type: 'poison', user: 2, node: 2 },
      { type: 'rename', user: 0, node: 2, content: 1 },
      { type: 'delete', user: 2, node: 0, target: 4 },
      { type: 'membership', user: 0, node: 2, role: null },
      { type: 'send', user: 2, node: 1, place: 1, clientId: 0, big: false, alsoRead: false },
      { type: 'membership', user: 0, node: 1, role: 'member' },
      { type: 'send', user: 2, node: 0, place: 1, clientId: 2, big: false, alsoRead: false },
      { type: 'membership', user: 1, node: 1, role: 'member' },
      { type: 'send', user: 1, node: 1, place: 1, clientId: null, big: false, alsoRead: false },
      { type: 'block', user: 0, node: 1, other: 0, on: false },
      { type: 'react', user: 2, node: 1, target: 1, emoji: '🎉', on: true },
      { type: 'read', user: 0, node: 2, place: 1, seq: 11 },
      { type: 'send', user: 1, node: 1, place: 2, clientId: 3, big: false, alsoRead: false },
      { type: 'send', user: 0, node: 1, place: 0, clientId: 1, big: true, alsoRead: false },
      { type: 'react', user: 1, node: 1, target: 1, emoji: '🎉', on: true },
      { type: 'membership', user: 2, node: 0, role: 'member' },
      { type: 'send', user: 0, node: 0, place: 1, clientId: 1, big: false, alsoRead: true }
    ]
  },
  'a message and a reaction of somebody who is blocked are in one commit': {
    seed: 1_099_727_474,
    faults: 0.1,
    loss: 0,
    lag: 0,
    share: true,
    nodes: 3,
    replicates: false,
    calm: true,
    batchCountMax: 3,
    clocks: [1, 5_000, -5_000],
    clients: [
      { user: 1, live: false, limit: 2, newest: 1, only: true },
      { user: 1, live: true, limit: 4, newest: 0, only: false },
      { user: 0, live: true, limit: 4, newest: 0, only: false }
    ],
    timeReaders: [],
    steps: [
      { type: 'edit', user: 0, node: 0, target: 8 },
      { type: 'history', user: 2, node: 1, history: 'joined' },
      { type: 'react', user: 2, node: 1, target: 1, emoji: '🎉', on: true },
      { type: 'edit', user: 1, node: 1, target: 4 },
      { type: 'react', user: 1, node: 1, target: 9, emoji: '👍', on: true },
      { type: 'invite', user: 0, node: 2 },
      { type: 'send', user: 2, node: 1, place: 2, clientId: 0, big: false, alsoRead: true },
      { type: 'block', user: 0, node: 1, other: 1, on: true },
      { type: 'edit', user: 2, node: 1, target: 19 },
      { type: 'history', user: 1, node: 2, history: 'joined' },
      { type: 'send', user: 0, node: 2, place: 1, clientId: 2, big: false, alsoRead: false },
      { type: 'sync', client: 0 },
      { type: 'pin', user: 1, node: 0, target: 11, on: true }
    ]
  }
}
