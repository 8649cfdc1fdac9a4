import type { ConversationLog } from '../../src/log/conversation-log.ts'
import { selfLogId, selfLogOwner, seqOf } from '../../src/log/model/types.ts'
import { generationOf } from '../../src/chat/rules/view.ts'
import { UserConversationDirectory, type UserConversations } from '../../src/sync/user-conversations.ts'
import type { Delivery } from '../../src/live/delivery.ts'
import { type Event, resequence } from '../../src/live/resequencer.ts'
import type { Message } from '../../src/schemas/message.ts'
import type { Change, ReadPosition } from '../../src/schemas/sync.ts'
import { room } from './units.ts'
import type { Mutant, Spec, Step } from './world.ts'

const everybody = [0, 1, 2]
export const joins = everybody.map((user): Step => ({ type: 'membership', user, node: user, role: 'member' }))
export const says = (user: number): Step => ({ type: 'send', user, node: user, place: 1, clientId: null, big: false })
const blocks = (on: boolean): Step => ({ type: 'block', user: 0, node: 0, other: 1, on })
const purges = (throughSeq: number): Step => ({ type: 'purge', user: 0, node: 0, place: 1, throughSeq })
const edits: Step = { type: 'edit', user: 0, node: 0, target: 0 }
export const pins: Step = { type: 'pin', user: 0, node: 0, target: 0, on: true }
const hides = (seq: number): Step => ({ type: 'hide', user: 0, node: 0, place: 1, seq })
const clears = (seq: number): Step => ({ type: 'clear', user: 0, node: 0, place: 1, seq })
/** A client of each user. */
const clients = everybody.map(user => ({ user, live: true, limit: 4 }))

/** The same clients without live events. */
const syncing = clients.map(client => ({ ...client, live: false }))
const reacts: Step = { type: 'react', user: 1, node: 1, target: 0, emoji: '👍', on: true }

const elects: Step = { type: 'failover' }
const syncs = everybody.map((client): Step => ({ type: 'sync', client }))

const noFaults: Partial<Spec> = { faults: 0, loss: 0, calm: false }

/**
 * Plausible mistakes in sync, delivery or a client that lose changes, or show them to the wrong users. The check must
 * find every one.
 */
export const mutants: Record<string, Mutant> = {
  'a cursor is the head that is read after the scan': {
    pull: pull => async (context, identity, input) => {
      const pulled = await pull(context, identity, input)
      const { conversations, chat: { log } } = context
      const mine = await conversations.get(identity, await log.head(selfLogId(identity.userId)))
      for (const one of pulled.conversations) {
        const place = mine.byWireId.get(one.wireId)
        const head = place === undefined || one.hasMore ? undefined : await log.head(place.conversationId)
        if (head === undefined) continue
        const { generation } = conversations.positionOf(identity.userId, place!, one.cursor)
        one.cursor = conversations.cursorAt(identity.userId, place!, { rev: head.headRev, clock: head.clock.getTime(), generation })
      }
      return pulled
    },
    within: noFaults
  },
  'the files of a message are not told': {
    pull: pull => async (context, identity, input) => {
      const pulled = await pull(context, identity, input)
      for (const one of pulled.conversations) one.changes = Buffer.from(one.changes.toString().replaceAll(/,"attachments":\[[^\]]*\]/g, ''))
      return pulled
    },
    within: noFaults
  },
  'what does not fit into an answer is dropped, and there is said to be no more': {
    pull: pull => async (context, identity, input) => {
      const pulled = await pull(context, identity, { ...input, limit: 500 })
      const { conversations, chat: { log } } = context
      const mine = await conversations.get(identity, await log.head(selfLogId(identity.userId)))
      for (const one of pulled.conversations) {
        const place = mine.byWireId.get(one.wireId)
        if (!one.hasMore || place === undefined) continue
        const head = (await log.head(place.conversationId))!
        const { generation } = conversations.positionOf(identity.userId, place, one.cursor)
        one.cursor = conversations.cursorAt(identity.userId, place, { rev: head.headRev, clock: head.clock.getTime(), generation })
        one.hasMore = false
      }
      pulled.hasMore = pulled.conversations.length > 0
      return pulled
    }
  },
  'all of a conversation is said to be in its first page': {
    pull: pull => async (context, identity, input) => {
      const pulled = await pull(context, identity, input)
      const { conversations, chat: { log } } = context
      const mine = await conversations.get(identity, await log.head(selfLogId(identity.userId)))
      for (const one of pulled.conversations) {
        const place = mine.byWireId.get(one.wireId)
        if (!one.reset || !one.hasMore || place === undefined) continue
        const head = (await log.head(place.conversationId))!
        const { generation } = conversations.positionOf(identity.userId, place, one.cursor)
        one.cursor = conversations.cursorAt(identity.userId, place, { rev: head.headRev, clock: head.clock.getTime(), generation })
      }
      return pulled
    },
    within: { ...noFaults, clients: [{ user: 0, live: false, limit: 2, newest: 'all' }] },
    first: [...joins, says(0), says(1), says(2), { type: 'edit', user: 0, node: 0, target: 0 }]
  },
  'a short first page is said to be whole from the beginning': {
    pull: pull => async (context, identity, input) => {
      const pulled = await pull(context, identity, input)
      for (const one of pulled.conversations) if (one.fromSeq !== undefined) one.fromSeq = seqOf(1)
      return pulled
    },
    within: { ...noFaults, clients: [{ user: 0, live: false, limit: 4, newest: 1 }] },
    first: [...joins, says(0), says(1), says(2)]
  },
  'a sync of some conversations leaves the own log out': {
    pull: pull => async (context, identity, input) => {
      const pulled = await pull(context, identity, input)
      const isHeld = (input.cursors ?? {})['self'] !== undefined
      return input.only === true && isHeld ? { ...pulled, conversations: pulled.conversations.filter(({ wireId }) => wireId !== 'self') } : pulled
    },
    within: { ...noFaults, clients: everybody.map(user => ({ user, live: false, limit: 4, only: true })) }
  },
  'a view that shows more than before is no reason for a reset': {
    pull: pull => async (context, identity, { cursors = {}, ...input }) => {
      const { conversations, chat: { log } } = context
      const selfHead = await log.head(selfLogId(identity.userId))
      const mine = await conversations.get(identity, selfHead)
      const bent = await Promise.all(Object.entries(cursors).map(async ([id, cursor]) => {
        const place = mine.byWireId.get(id)
        const head = place === undefined ? undefined : await log.head(place.conversationId)
        if (head === undefined || cursor === null) return [id, cursor] as const
        const { isFromOtherEpoch, ...position } = conversations.decodeCursor(identity.userId, place!.conversationId, cursor)
        return [id, isFromOtherEpoch ? cursor : log.cursors.encode(identity.userId, place!.conversationId, { ...position, generation: generationOf(head, place!.joined, selfHead) })] as const
      }))
      return await pull(context, identity, { ...input, cursors: Object.fromEntries(bent) })
    },
    within: { ...noFaults, clients },
    first: [...joins, blocks(true), says(1), says(1), blocks(false)]
  },
  'who was removed goes on with an old cursor': {
    pull: pull => async (context, identity, input) => await pull({ ...context, conversations: conversationsForEver(context.conversations) }, identity, input)
  },
  'a client is not told of a change that it may not see': {
    isDropped: event => event === 'noop',
    within: { calm: true, clients },
    first: [...joins, blocks(true), says(1), says(1), says(1), says(2)]
  },
  'a node does not take those who are removed out of a room': {
    keepsRemoved: true,
    within: { ...noFaults, clients },
    first: [...joins, { type: 'membership', user: 1, node: 1, role: null }, says(0), says(0), says(0), says(0)]
  },
  'a node sends what it hears of others as it comes': {
    resequence: (state, event) => ({ state, actions: isDelivery(event) ? [{ do: 'send', deliveries: [event] }] : [] }),
    within: { share: false, nodes: 3, calm: false, loss: 0.5, clients },
    first: [...joins, { type: 'membership', user: 1, node: 0, role: null }, says(0), says(2), says(0), says(2)]
  },
  'a node takes the first that it hears of a conversation for the next': {
    resequence: (state, event, facts) => resequence(state, event, () => ({ ...facts(), isSoleWriter: true })),
    within: { share: false, nodes: 3, calm: false, loss: 0.5, clients },
    first: [...joins, { type: 'membership', user: 1, node: 0, role: null }, says(0), says(2), says(0), says(2)]
  },
  'what is missing is filled, and nobody looks at memberships again': {
    gapSource: source => { source.verify = async () => {} },
    within: { share: false, nodes: 3, calm: false, loss: 0.5, clients },
    first: [...joins, { type: 'membership', user: 1, node: 0, role: null }, says(0), says(2), { type: 'membership', user: 1, node: 0, role: 'member' }, says(0), says(2)]
  },
  'a client applies whatever comes': { rules: { isNewer: () => true }, within: { calm: false, loss: 0.5, clients }, first: [...joins, says(0), { type: 'edit', user: 0, node: 0, target: 0 }, { type: 'edit', user: 0, node: 0, target: 0 }] },
  'a client stores cursors before what they stand for': { cursorsFirst: true, within: { calm: false } },
  'nobody looks after a scan whether a purge took rows away under it': {
    bend: withoutSecondLook,
    within: { ...noFaults, share: false, replicates: false, clients: [...clients, ...clients].map(client => ({ ...client, live: false, limit: 50 })) },
    first: [...joins, ...[2, 4, 6, 8, 10].flatMap((throughSeq): Step[] => [says(0), says(0), purges(throughSeq), { type: 'collect', node: 1 }, { type: 'sync', client: throughSeq % 6 }])]
  },
  'what one user gets of a message is given to all': {
    pull: pull => async (context, identity, input) => {
      const pulled = await pull(context, identity, input)
      for (const one of pulled.conversations) one.changes = Buffer.from(withReactionsOfAll(one.changes.toString()))
      return pulled
    },
    within: { ...noFaults, clients: syncing },
    first: [...joins, says(2), reacts, blocks(true)]
  },
  'read positions that one user gets are given to all': {
    pull: pull => async (context, identity, input) => {
      const pulled = await pull(context, identity, input)
      const { log } = context.chat
      for (const one of pulled.conversations) {
        const known = readsByLog.get(log) ?? []
        readsByLog.set(log, known)
        if (one.wireId === room) known.push(...one.reads)
        if (one.wireId === room && one.reset) one.reads = [...one.reads, ...known.filter(({ userId }) => one.reads.every(read => read.userId !== userId))]
      }
      return pulled
    },
    within: { ...noFaults, share: true, calm: true, clients: syncing },
    first: [...joins, says(2), { type: 'read', user: 1, node: 1, place: 1, seq: 1 }, blocks(true)]
  },
  'a conversation that begins comes without its pins': {
    pull: pull => async (context, identity, input) => {
      const pulled = await pull(context, identity, input)
      for (const one of pulled.conversations) {
        if (one.reset) one.changes = Buffer.from(without(one.changes.toString(), 'pins'))
      }
      return pulled
    },
    within: { ...noFaults, clients: syncing },
    first: [...joins, says(0), pins, says(1)]
  },
  'a sync shows what a user has cleared or hidden': {
    pull: pull => async (context, identity, input) => {
      return await pull({ ...context, conversations: nothingHidden(context.conversations) }, identity, input)
    },
    within: { ...noFaults, clients },
    first: [...joins, says(0), says(1), hides(1), edits]
  },
  'a change of a message reaches a user who has hidden it': {
    bend: ({ collections: { members } }) => {
      const find = members.find.bind(members) as (filter: object) => ReturnType<typeof members.find>
      const asksWhoHides = (filter: object) => 'hiddenSeqs' in filter || 'clearedSeq' in filter
      const bent = (filter: object) => find(asksWhoHides(filter) ? { _id: 'nobody' } : filter)
      members.find = bent as typeof members.find
    },
    within: { ...noFaults, clients },
    first: [...joins, says(0), hides(1), edits, clears(1), edits]
  },
  'a node reads what is older than what it has seen': {
    forgetsTime: true,
    within: { ...noFaults, share: false, elections: true, clients: syncing },
    first: [...joins, says(0), says(1), elects, says(2), elects, says(0), elects]
  },
  'a node reads what a new leader knows that a majority has': {
    forgetsElections: true,
    within: { ...noFaults, loss: 0.5, share: false, nodes: 3, elections: true, clients: syncing },
    first: [...joins, ...everybody.flatMap(user => [says(user), elects, ...syncs, ...syncs])]
  },
  'a node hears of a commit, and reads what is older': {
    bend: log => {
      const apply = log.applyRemote.bind(log)
      log.applyRemote = ({ time, ...committed }) => { apply(committed) }
    },
    within: { ...noFaults, loss: 0.5, share: false, nodes: 3, elections: 'unseen', clients },
    first: [...joins, says(0), says(1), elects, says(0), says(1), elects, says(0), says(1), elects]
  },
  'a cursor from before a restore is served': {
    bend: ({ cursors }) => {
      const decode = cursors.decode.bind(cursors)
      cursors.decode = (...given) => {
        const position = decode(...given)
        return position === null ? null : { ...position, isFromOtherEpoch: false }
      }
    },
    within: { calm: false, clients },
    first: [...joins, says(0), says(1), { type: 'restore', commits: 4 }, says(2), says(2)]
  }
}

function without (changes: string, kind: Change['kind']): string {
  return JSON.stringify((JSON.parse(`[${changes}]`) as Change[]).filter(change => change.kind !== kind)).slice(1, -1)
}

const readsByLog = new WeakMap<ConversationLog, ReadPosition[]>()
const reactionsSeen = new Map<string, Message['reactions']>()

/** Caches messages by rev and ignores the reader. */
function withReactionsOfAll (changes: string): string {
  const list = JSON.parse(`[${changes}]`) as Change[]
  for (const change of list) {
    if (change.kind !== 'message') continue
    const key = `${change.message._id} ${change.rev}`
    const seen = reactionsSeen.get(key)
    if (seen === undefined || seen.length < change.message.reactions.length) reactionsSeen.set(key, change.message.reactions)
    else change.message.reactions = seen
  }
  return JSON.stringify(list).slice(1, -1)
}

const everSeen = new WeakMap<UserConversationDirectory, Map<string, UserConversations>>()

/** Caches conversations and never drops any. */
function conversationsForEver (directory: UserConversationDirectory): UserConversationDirectory {
  const seen = everSeen.get(directory) ?? new Map<string, UserConversations>()
  everSeen.set(directory, seen)
  return Object.assign(Object.create(UserConversationDirectory.prototype) as UserConversationDirectory, directory, {
    get: async (...given: Parameters<UserConversationDirectory['get']>) => {
      const now = await directory.get(...given)
      const before = seen.get(given[0].userId)
      const list = [...now.list, ...before?.list.filter(({ wireId }) => !now.byWireId.has(wireId)) ?? []]
      const kept = { ...now, list, byWireId: new Map(list.map(one => [one.wireId, one])) }
      seen.set(given[0].userId, kept)
      return kept
    }
  })
}

/** Conversations without what their reader has cleared or hidden. */
function nothingHidden (directory: UserConversationDirectory): UserConversationDirectory {
  return Object.assign(Object.create(UserConversationDirectory.prototype) as UserConversationDirectory, directory, {
    get: async (...given: Parameters<UserConversationDirectory['get']>) => {
      const mine = await directory.get(...given)
      const list = mine.list.map(one => {
        const { clearedSeq, hiddenSeqs, ...joined } = one.joined ?? {}
        return one.joined === undefined ? one : { ...one, joined: joined as typeof one.joined }
      })
      return { ...mine, list, byWireId: new Map(list.map(one => [one.wireId, one])) }
    }
  })
}

function isDelivery (event: Event): event is Event & Delivery {
  return event.kind === 'row' || event.kind === 'after'
}

/**
 * Before a scan the heads of all conversations are read together; the check after it reads each by itself. This hides
 * purges from that check.
 */
function withoutSecondLook (log: ConversationLog): void {
  const [head, heads] = [log.head.bind(log), log.heads.bind(log)]
  log.head = async id => {
    const found = await head(id)
    if (found === undefined || selfLogOwner(id) !== undefined) return found
    const { purgedSeq, ...rest } = found
    return rest
  }
  log.heads = async given => {
    const ids = [...given]
    const found = await heads(ids)
    // The defect shows if a node is slow.
    for (let reads = 0; reads < 12; reads++) await head(ids[0]!)
    return found
  }
}
