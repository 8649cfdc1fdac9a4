import type { Engine } from '../../src/engine/engine.ts'
import { plan } from '../../src/pure/push.ts'
import { rangeAt } from '../../src/pure/ranges.ts'
import { type ConversationRecord, type Range, type Row, emptySelf, noSettings } from '../../src/pure/state.ts'
import { type Held, loadHeld } from '../../src/storage/apply-batch.ts'
import type { Tab } from './tab.ts'
import { type Server, hall, me, places, room } from './server.ts'

/** A message that a tab has been told is stored. */
export interface Written {
  tab: Tab
  place: string
  id: string
  /** It was refused, and sent again by the user when others may have been under way. */
  isAgain?: boolean
}

export interface Checked {
  server: Server
  engine: Engine
  held: Held
  written: readonly Written[]
  /** What was cleared or deleted for oneself. */
  narrowed: readonly Written[]
}

const isIn = (ranges: readonly Range[] = [], seq: number) => rangeAt(ranges, seq) !== undefined

/** At every moment. */
export function brokenNow (checked: Checked): string[] {
  return [...holes(checked), ...places.flatMap(id => brokenNarrowing(checked, id))]
}

/** C9: nothing is kept that this device knows to be cleared or deleted for the user alone, and nothing is shown. */
function brokenNarrowing ({ engine, held, narrowed }: Checked, id: string): string[] {
  const { clearedSeq, hiddenSeqs } = engine.self.settings[id] ?? noSettings
  const isGone = (seq: number) => seq <= clearedSeq || hiddenSeqs.includes(seq)
  const rows = [...held.rows.get(id)?.values() ?? []]
  const kept = rows.filter(({ seq }) => isGone(seq))
  const last = engine.conversations.get(id)?.last
  // What is asked of a room may be refused.
  const shown = narrowed.filter(({ tab, place, id: messageId }) => {
    const row = rows.find(({ id }) => id === messageId)
    return place === hall && tab.isAlive && row !== undefined && tab.engine.shownIn(id)(row)
  })
  return [
    ...kept.map(({ seq }) => `C9: ${id} keeps ${seq}`),
    ...(last !== undefined && isGone(last.seq) ? [`C9: the list shows ${last.seq} of ${id}`] : []),
    ...shown.map(({ id: message }) => `C9: ${id} shows ${message} in the tab that took it away`)
  ]
}

/** C3: within what is shown there is no hole. */
function holes ({ server, engine, held }: Checked): string[] {
  return [...engine.conversations].flatMap(([id, { ranges, rev: known, cursor }]) => {
    const [era, stay] = cursor.split(':').map(Number)
    const isSame = era === server.era && stay === (id === room ? server.stays : 0)
    if (!server.isMine(id) || !isSame) return []
    return server.visible(id).flatMap(message => {
      if (message.rev > known || !isIn(ranges, message.seq)) return []
      const rev = held.rows.get(id)?.get(message.seq)?.rev ?? 0
      return rev < message.rev ? [`C3: ${id} shows a hole at ${message.seq}`] : []
    })
  })
}

/** When nothing is under way any more. */
export function brokenAtRest (checked: Checked): string[] {
  return places.flatMap(id => checked.server.isMine(id)
    ? [...brokenContent(checked, id), ...brokenOutbox(checked, id)]
    : leftovers(checked, id))
}

function leftovers ({ engine, held }: Checked, id: string): string[] {
  return engine.conversations.has(id) || (held.rows.get(id)?.size ?? 0) > 0 ? [`C6: something of ${id} is kept`] : []
}

function brokenContent ({ server, engine, held, narrowed }: Checked, id: string): string[] {
  const broken: string[] = []
  const record = engine.conversations.get(id)
  const messages = server.visible(id)
  const top = messages.at(-1)
  if (top !== undefined && !isIn(record?.ranges, top.seq)) broken.push(`C1: the newest message of ${id} is not shown`)
  for (const { seq, rev, message } of messages) {
    if (!isIn(record?.ranges, seq)) continue
    const row: Row | undefined = held.rows.get(id)?.get(seq)
    if (row?.rev !== rev || row.text !== message) broken.push(`C1: message ${seq} of ${id} differs`)
  }
  for (const { seq, senderId } of held.rows.get(id)?.values() ?? []) {
    // Your own send, repeated after you left and came back, is answered with what it did then.
    const isAnswer = senderId === me && id === room && seq <= server.joinedSeq
    const isThere = messages.some(message => message.seq === seq)
    if (!isAnswer && !isThere) broken.push(`C4: message ${seq} of ${id} is gone, and kept`)
  }
  if (String(record?.pins ?? []) !== String(server.pins(id) ?? [])) broken.push(`C1: the pins of ${id} differ`)
  const newest = messages.findLast(({ seq }) => isIn(record?.ranges, seq))
  const last = record?.last?.seq
  if (newest !== undefined && newest.seq !== last) broken.push(`C9: the list shows ${last} of ${id}, not ${newest.seq}`)
  const { clearedSeq, hiddenSeqs } = engine.self.settings[id] ?? noSettings
  const theirs = server.narrowingOf(id)
  const isSame = clearedSeq === theirs.clearedSeq && String(hiddenSeqs) === String(theirs.hiddenSeqs)
  if (!isSame) broken.push(`C9: what is gone in ${id} differs`)
  const left = narrowed.filter(({ place, id: messageId }) =>
    place === hall && place === id && messages.some(({ _id }) => _id === messageId))
  for (const one of left) broken.push(`C9: the server shows ${one.id} of ${id}`)
  const [unread, counted] = [server.unread(id), record?.unreadCount]
  if (counted !== undefined && counted !== unread) broken.push(`C7: ${counted} unread in ${id}, not ${unread}`)
  return broken
}

/** C2: what was written here is there, once, in order; what was taken back before it was sent is not. */
function brokenOutbox ({ server, engine, written }: Checked, id: string): string[] {
  const broken: string[] = []
  const mine = server.messages(id).filter(({ user }) => user._id === me)
  const sent = mine.map(({ clientMessageId }) => clientMessageId!)
  if (new Set(sent).size !== sent.length) broken.push('C2: a message is there twice')
  const failed = new Set(engine.operationsOf(id).flatMap(({ work, state }) =>
    work.type === 'send' && state === 'failed' ? work.clientMessageId : []))
  // Who is in the common chat is refused nothing that they send.
  if (id === hall && failed.size > 0) broken.push(`C2: ${[...failed].join()} is given up`)
  const { purgedSeq } = server.logs.get(id)!
  const expected = written.filter(own => own.place === id && !failed.has(own.id))
  const lost = expected.filter(own => !sent.includes(own.id)).map(own => own.id)
  if (lost.length > 0 && purgedSeq === 0 && id === hall) broken.push(`C2: ${lost.join()} was never sent`)
  // Two tabs that write at the same moment do not know of each other.
  for (const tab of new Set(expected.map(own => own.tab))) {
    const own = expected.filter(written => written.tab === tab && written.isAgain !== true).map(({ id }) => id)
    const order = sent.filter(id => own.includes(id)).join()
    if (order !== own.filter(id => sent.includes(id)).join()) broken.push(`C2: sent in another order: ${order}`)
  }
  if (plan(engine.operationsOf(id), Infinity).length > 0) broken.push('C2: the outbox is not empty')
  return broken
}

/** C5: a tab shows what is stored. */
export function differing ({ self, conversations, operations }: Engine, held: Held): string[] {
  const stored = loadHeld(held)
  const shown = [self, inOrder([...conversations.values()]), operations]
  const kept = [stored.self ?? emptySelf, inOrder(stored.conversations), stored.operations]
  return JSON.stringify(shown) === JSON.stringify(kept) ? [] : ['C5: a tab shows something that is not stored']
}

const inOrder = (records: ConversationRecord[]) => records.sort((a, b) => a.id < b.id ? -1 : 1)
