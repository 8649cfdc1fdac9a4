import type { Change, Connection, Follower, History, Message, Removal, Snapshot } from '../history.ts'
import type { Checked, Finding } from '../report.ts'

/**
 * Promise 3: in the end every follower holds what a fresh fetch returns, pages always advance, seq and rev have no
 * gaps, and the last change of a message persists.
 */
export function checkComplete (history: Pick<History, 'followers' | 'snapshots' | 'connections' | 'changes' | 'removals' | 'absent'>): Checked {
  const { followers, snapshots, connections, changes, removals, absent } = history
  const last = new Map(snapshots.map(snapshot => [snapshot.conversationId, snapshot]))
  const findings = [
    ...snapshots.flatMap(holes),
    ...followers.flatMap(follower => [...judgePages(follower), ...compare(follower, last.get(follower.conversationId))]),
    ...connections.filter(({ live }) => live).flatMap(connection => liveHoles(connection, removals)),
    ...finalStates(changes, last)
  ]
  const finished = followers.filter(({ finished }) => finished)
  return {
    looked: finished.reduce((sum, { held }) => sum + held.size, 0),
    unexercised: [
      ...(absent.has('sync') ? ['POST /api/sync: the server does not have it'] : []),
      ...(absent.has('live') ? ['setupUser {live: true}: the server does not have it'] : []),
      ...(followers.length > finished.length ? [`${followers.length - finished.length} followers did not get to the end`] : [])
    ],
    findings
  }
}

/** Messages in the newest page of a reset. */
const resetPageMax = 50

function holes ({ name, conversationId, afterSeq, messages }: Snapshot): Finding[] {
  const seqs = messages.map(({ seq }) => seq).sort((a, b) => a - b)
  const at = seqs.findIndex((seq, index) => seq !== afterSeq + index + 1)
  return at === -1 ? [] : [{ what: `${conversationId}: seq ${afterSeq + at + 1} is missing (or double) in the sync ${name}, before seq ${seqs[at]!}` }]
}

function judgePages ({ name, conversationId, knows, pages, problems }: Follower): Finding[] {
  const findings: Finding[] = problems.map(problem => ({ what: `${conversationId}: ${name} ${problem}` }))
  let reached = 0
  for (const { limit, revs, hasMore, reset, sameCursor } of pages) {
    if (reset) reached = 0
    if (hasMore && sameCursor) findings.push({ what: `${conversationId}: ${name} was told that there is more and got the cursor that it had sent` })
    if (knows !== 'cursor' && knows !== 'sync') continue
    if (revs.length > (reset && knows === 'sync' ? Math.max(limit, resetPageMax) : limit)) findings.push({ what: `${conversationId}: ${name} asked for ${limit} and got ${revs.length}` })
    const old = revs.find(rev => rev <= reached)
    if (old !== undefined) findings.push({ what: `${conversationId}: ${name} got rev ${old} after a cursor that stood for rev ${reached}` })
    if (knows === 'sync' && revs.some((rev, index) => index > 0 && rev <= revs[index - 1]!)) findings.push({ what: `${conversationId}: ${name} got revs that do not ascend: ${revs.join(' ')}` })
    // The newest page is read after its cursor's head: a change between the two may come twice.
    if (!reset) reached = Math.max(reached, ...revs)
  }
  return findings
}

function compare ({ name, conversationId, knows, finished, afterSeq, held }: Follower, snapshot: Snapshot | undefined): Finding[] {
  if (!finished || snapshot === undefined) return []
  const findings: Finding[] = []
  const stored = new Map(snapshot.messages.map(message => [message._id, message]))
  for (const message of [...snapshot.messages].sort((a, b) => a.rev - b.rev)) {
    if (message.seq <= Math.max(afterSeq, snapshot.afterSeq)) continue
    const mine = held.get(message._id)
    // A client that syncs by time gets tombstones only if it asks for them.
    if (message.isDeleted && knows === 'time') continue
    if (mine === undefined) findings.push({ what: `${conversationId}: ${name} never got message ${message._id} (seq ${message.seq}, rev ${message.rev})` })
    else if (!same(mine, message)) findings.push({ what: `${conversationId}: ${name} holds message ${message._id} (seq ${message.seq}) at rev ${mine.rev}; it stands at rev ${message.rev}` })
  }
  for (const { _id, seq } of held.values()) {
    if (seq > snapshot.afterSeq && !stored.has(_id)) findings.push({ what: `${conversationId}: ${name} holds message ${_id} (seq ${seq}), which nobody else does` })
  }
  return findings
}

function same (a: Message, b: Message): boolean {
  return a.rev === b.rev && a.seq === b.seq && a.message === b.message && a.isDeleted === b.isDeleted
}

/**
 * Consecutive revs on a connection prove that it missed nothing. So there must be no gap, except while its user was
 * removed.
 */
function liveHoles ({ device, userId, since, resyncAt, events }: Connection, removals: readonly Removal[]): Finding[] {
  const wasOut = (conversationId: string, before: number, rev: number) =>
    removals.some(removal => removal.userId === userId && removal.conversationId === conversationId && before <= removal.rev && rev >= removal.untilRev)
  const findings: Finding[] = []
  const reached = new Map<string, number>()
  for (const { name, conversationId, rev, at } of events) {
    if (rev === 0 || !since.has(conversationId) || at >= resyncAt) continue
    const before = reached.get(conversationId)
    if (before !== undefined && rev > before + 1 && !wasOut(conversationId, before, rev)) findings.push({ what: `${conversationId}: device ${device} got rev ${rev} (${name}) after ${before}, without anything in between` })
    if (before === undefined || rev > before) reached.set(conversationId, rev)
  }
  return findings
}

/** A message must show its last acknowledged change, or a later change of unknown outcome. */
function finalStates (changes: readonly Change[], last: ReadonlyMap<string, Snapshot>): Finding[] {
  const possible = new Map<string, Change[]>()
  for (const change of changes) {
    if (change.ending.kind === 'refused') continue
    possible.set(change.messageId, change.ending.kind === 'done' ? [change] : [...possible.get(change.messageId) ?? [], change])
  }
  const findings: Finding[] = []
  for (const [messageId, candidates] of possible) {
    const { conversationId, ending } = candidates[0]!
    const message = last.get(conversationId)?.messages.find(({ _id }) => _id === messageId)
    // If its first change has an unknown outcome, the message may be unchanged.
    if (message === undefined || ending.kind !== 'done') continue
    if (!candidates.some(({ type, content }) => type === 'delete' ? message.isDeleted : !message.isDeleted && message.message === content)) {
      findings.push({ what: `${conversationId}: message ${messageId} stands at rev ${message.rev} without the ${candidates[0]!.type} that was acknowledged at rev ${ending.rev}` })
    }
  }
  return findings
}
