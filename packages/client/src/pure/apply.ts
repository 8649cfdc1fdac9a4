import type { Change, HistoryPage, LiveEvent, Reads, Synced } from './changes.ts'
import type { Patch } from './patch.ts'
import { addRange, cutThrough } from './ranges.ts'
import { type ConversationRecord, type Row, counts, noSettings } from './state.ts'

/** What the server says, applied to what is held. A row counts if its rev is above the held one's; the storage sees to that. */

/** One answer of a sync. @param isWhole it was asked for everything, and not for some conversations */
export function applyAnswer (patch: Patch, conversations: readonly Synced[], isWhole = true): void {
  // Your own log that begins anew is of another life of the database: all that is held goes with it, in the same step.
  const isAnew = patch.selfNow.cursor !== '' && conversations.some(({ conversationId, reset }) => conversationId === 'self' && reset)
  if (isAnew) patch.dropAll()
  const taken = conversations.filter(({ reset }) => reset || !isAnew)
  // First: it says what of the others you do not want to see.
  for (const synced of taken) if (synced.conversationId === 'self') applySelf(patch, synced)
  for (const synced of taken) if (synced.conversationId !== 'self') applySynced(patch, synced)
  // What a sync of everything brings shows all that there is to see.
  if (isWhole) patch.isAllDue = false
  for (const id of isWhole ? [...patch.due] : conversations.map(({ conversationId }) => conversationId)) patch.due.delete(id)
  patch.isAllDue ||= isAnew
}

function applySelf (patch: Patch, { changes, cursor, rev, reset }: Synced): void {
  if (reset) patch.changeSelf({ roles: {}, readSeqs: {}, settings: {}, blocked: [] })
  patch.changeSelf({ cursor, rev })
  for (const change of changes) applySelfChange(patch, change)
}

function applySynced (patch: Patch, synced: Synced): void {
  const { conversationId: id, kind, changes, cursor, rev, hasMore, reset, unreadCount, mentionCount, reads } = synced
  const before = patch.get(id)
  const isNew = reset || before === undefined
  if (isNew) patch.reset(id)
  patch.change(id, () => ({ kind: kind as 'room', cursor, rev, unreadCount, mentionCount }))
  if (isNew) patch.change(id, () => ({ openFrom: firstSeq(synced), generation: cursor }))
  for (const change of changes) applyChange(patch, id, change, { isNews: !isNew })
  patch.change(id, ({ reads: held }) => ({ reads: furthest(held, reads, patch.userId) }))
  // A page that is not the last may lack new messages that were changed later: they come with their last change.
  if (!hasMore) patch.change(id, close)
  if ((patch.get(id)?.localReadSeq ?? 0) > (patch.selfNow.readSeqs[id] ?? 0)) patch.recount.add(id)
}

/** Where the newest page begins. */
function firstSeq ({ fromSeq, changes, hasMore }: Synced): number | undefined {
  if (fromSeq !== undefined) return fromSeq
  const seqs = changes.flatMap(change => change.kind === 'message' ? change.row.seq : [])
  return seqs.length > 0 ? Math.min(...seqs) : hasMore ? undefined : 1
}

/** All that was seen up to now is whole. */
function close ({ ranges, top, seen, openFrom, isFresh, purgedSeq }: ConversationRecord): Partial<ConversationRecord> {
  const from = Math.max(isFresh ? openFrom ?? seen : top + 1, purgedSeq + 1)
  const to = Math.max(top, seen, isFresh ? from - 1 : purgedSeq)
  return { ranges: addRange(ranges, from, to), top: to, openFrom: undefined, isFresh: false }
}

/** A live change whose rev is the next one. */
export function applyLive (patch: Patch, { conversationId: id, rev, change }: LiveEvent): void {
  if (id === 'self') {
    patch.changeSelf({ rev })
    if (change !== null) applySelfChange(patch, change)
    return
  }
  if (patch.get(id) === undefined) return
  patch.change(id, () => ({ rev }))
  if (change === null) return
  if (change.kind === 'message') countLive(patch, change.row)
  applyChange(patch, id, change, { isNews: true })
  patch.change(id, close)
}

function countLive (patch: Patch, row: Row): void {
  const record = patch.get(row.conversationId)!
  if (row.senderId === patch.userId || row.seq <= readSeq(patch, record.id) || patch.isGone(record.id, row.seq)) return
  if (row.seq <= record.top) patch.recount.add(record.id)
  else if (counts(row)) {
    const isNamed = row.mentions?.all === true || row.mentions?.userIds.includes(patch.userId) === true
    patch.change(record.id, ({ unreadCount, mentionCount }) => ({ unreadCount: unreadCount + 1, mentionCount: mentionCount + Number(isNamed) }))
  }
}

function readSeq (patch: Patch, id: string): number {
  return Math.max(patch.selfNow.readSeqs[id] ?? 0, patch.get(id)?.localReadSeq ?? 0)
}

function applyChange (patch: Patch, id: string, change: Change, { isNews }: { isNews: boolean }): void {
  switch (change.kind) {
    case 'message': return applyMessage(patch, change.row, change.people, isNews)
    case 'membership': return patch.change(id, ({ roles }) => ({ roles: { ...roles, [change.userId]: change.role } }))
    case 'meta': {
      const { name, isPrivate, history, postRole, slowModeS } = change
      const texts = [change.topic, change.description, change.picture]
      const [topic, description, picture] = texts.map(text => text ?? undefined)
      const before = patch.get(id)?.history
      if (before !== undefined && before !== history) patch.due.add(id)
      return patch.change(id, () => ({
        name, isPrivate, history, topic, description, picture, postRole, slowModeS
      }))
    }
    case 'purge': return applyPurge(patch, id, change.throughSeq)
    case 'pins': {
      const { messageIds: pins } = change
      return patch.change(id, ({ pinned }) => ({ pins, pinned: pinned?.filter(row => pins.includes(row.id)) }))
    }
    case 'read':
    case 'block':
    case 'settings':
    case 'other':
  }
}

/** A row from beside the changes: a page of history, the answer to a send. It says nothing of the rows before it. */
export function applyRow (patch: Patch, row: Row, people: HistoryPage['people']): boolean {
  const record = patch.get(row.conversationId)
  if (record === undefined || patch.isGone(record.id, row.seq)) return false
  patch.rows.push(row)
  for (const person of people) patch.users.set(person.id, person)
  patch.put({ ...record, ...lastOf(record, row), ...pinnedOf(record, row) })
  return true
}

function applyMessage (patch: Patch, row: Row, people: HistoryPage['people'], isNews: boolean): void {
  const { top = 0 } = patch.get(row.conversationId) ?? {}
  if (!applyRow(patch, row, people)) return
  const isForYou = row.senderId !== patch.userId && counts(row)
  if (isNews && isForYou && row.seq > top && row.seq > readSeq(patch, row.conversationId)) patch.news.push(row)
  patch.change(row.conversationId, ({ seen }) => ({ seen: Math.max(seen, row.seq) }))
}

function lastOf ({ last, activityAt }: ConversationRecord, row: Row): Pick<ConversationRecord, 'last' | 'activityAt'> | undefined {
  const isLast = last === undefined || row.seq > last.seq || (row.seq === last.seq && row.rev > last.rev)
  // What tells of an event moves no conversation in the list.
  const isActivity = row.system === undefined || activityAt === 0
  return isLast ? { last: row, activityAt: isActivity ? Math.max(activityAt, row.createdAt) : activityAt } : undefined
}

function pinnedOf ({ pinned }: ConversationRecord, row: Row): Pick<ConversationRecord, 'pinned'> | undefined {
  const isNewer = pinned?.some(({ id, rev }) => id === row.id && rev < row.rev) === true
  return isNewer ? { pinned: pinned?.map(one => one.id === row.id ? row : one) } : undefined
}

function applyPurge (patch: Patch, id: string, throughSeq: number): void {
  const record = patch.get(id)
  if (record === undefined || throughSeq <= record.purgedSeq) return
  patch.purged.set(id, throughSeq)
  if (record.last !== undefined && record.last.seq <= throughSeq) patch.lastGone.add(id)
  patch.removeRows(id, seq => seq <= throughSeq)
  patch.put({
    ...record,
    purgedSeq: throughSeq,
    ranges: cutThrough(record.ranges, throughSeq),
    last: record.last !== undefined && record.last.seq > throughSeq ? record.last : undefined,
    pinned: record.pinned?.filter(row => row.seq > throughSeq)
  })
  patch.recount.add(id)
}

/** Messages that you deleted for yourself. */
function applyHidden (patch: Patch, id: string, seqs: readonly number[]): void {
  const record = patch.get(id)
  if (record === undefined || seqs.length === 0) return
  patch.hidden.set(id, seqs)
  patch.removeRows(id, seq => seqs.includes(seq))
  const isLast = record.last !== undefined && seqs.includes(record.last.seq)
  if (isLast) patch.lastGone.add(id)
  const pinned = record.pinned?.filter(row => !seqs.includes(row.seq))
  if (isLast || pinned !== undefined) patch.put({ ...record, ...(isLast ? { last: undefined } : {}), pinned })
  patch.recount.add(id)
}

function applySelfChange (patch: Patch, change: Change): void {
  const { roles, readSeqs, settings, blocked } = patch.selfNow
  switch (change.kind) {
    case 'membership': {
      const { conversationId: id, role } = change
      if (id === undefined) return
      if (role === null) {
        // Your settings outlast it: the log does not tell of them again.
        patch.changeSelf({ roles: without(roles, id), readSeqs: without(readSeqs, id) })
        return patch.drop(id)
      }
      // If a user left and came back in one commit, only the return is announced.
      patch.due.add(id)
      return patch.changeSelf({ roles: { ...roles, [id]: role } })
    }
    case 'read':
      patch.recount.add(change.conversationId)
      return patch.changeSelf({ readSeqs: { ...readSeqs, [change.conversationId]: change.seq } })
    case 'settings': {
      const { conversationId: id, settings: { clearedSeq, hiddenSeqs } } = change
      const before = settings[id] ?? noSettings
      patch.changeSelf({ settings: { ...settings, [id]: change.settings } })
      const hidden = hiddenSeqs.filter(seq => !before.hiddenSeqs.includes(seq))
      if (clearedSeq <= before.clearedSeq && hidden.length === 0) return
      applyPurge(patch, id, clearedSeq)
      applyHidden(patch, id, hidden)
      // What is not all here, the server counts.
      if (patch.get(id) !== undefined) patch.due.add(id)
      return
    }
    case 'block': {
      patch.isAllDue = true
      const others = blocked.filter(id => id !== change.userId)
      return patch.changeSelf({ blocked: change.on ? [...others, change.userId] : others })
    }
    case 'message':
    case 'meta':
    case 'purge':
    case 'pins':
    case 'other':
  }
}

/** Positions of others, which only go forward. */
export function furthest (held: ConversationRecord['reads'], reads: readonly Reads[], userId: string): ConversationRecord['reads'] {
  const moved = reads.filter(({ userId: id, seq }) => id !== userId && seq > (held[id]?.seq ?? 0))
  return moved.length === 0 ? held : { ...held, ...Object.fromEntries(moved.map(({ userId: id, seq, at }) => [id, { seq, at }])) }
}

/**
 * A page of history: everything from its first message (or the very first) to `before` - 1 is held now.
 * A page that was requested before a reset says nothing of this log.
 */
export function applyHistory (
  patch: Patch, id: string, { rows, people, hasOlder }: HistoryPage, { before, generation }: { before: number, generation: string }
): boolean {
  const record = patch.get(id)
  if (record === undefined || record.generation !== generation) return false
  for (const row of rows) applyRow(patch, row, [])
  for (const person of people) patch.users.set(person.id, person)
  const first = hasOlder ? rows[0]?.seq : 1
  // What is above the top is followed, not paged.
  const to = Math.min(before - 1, record.top)
  if (first !== undefined) patch.change(id, ({ ranges, purgedSeq }) => ({ ranges: addRange(ranges, Math.max(first, purgedSeq + 1), to) }))
  return true
}

function without<T> (record: Readonly<Record<string, T>>, id: string): Record<string, T> {
  const { [id]: gone, ...rest } = record
  return rest
}
