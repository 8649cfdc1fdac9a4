import type { History } from '../history.ts'
import type { Finding } from '../report.ts'

/** A value that was set is found until another one is set. If a call had no answer, either value is right. */
export function lostSettings ({ settings }: Pick<History, 'settings'>): Finding[] {
  const possible = new Map<string, Set<string>>()
  const findings: Finding[] = []
  for (const { key, kind, value } of settings) {
    const values = possible.get(key)
    if (kind === 'set') possible.set(key, new Set([value]))
    // Before a key is set for the first time its value is unknown.
    else if (values === undefined) continue
    else if (kind === 'unknown') values.add(value)
    else if (!values.has(value)) findings.push({ what: `${key} was set to ${[...values].join(' or ')}, and is "${value}"` })
  }
  return findings
}

/** An acknowledged read position is not lower in a fresh fetch. */
export function lostReads ({ reads, counts }: Pick<History, 'reads' | 'counts'>): Finding[] {
  return counts.flatMap(({ userId, conversationId, readSeq, startedAt }) => {
    const read = reads.find(one => one.userId === userId && one.conversationId === conversationId && one.doneAt < startedAt && one.seq > readSeq)
    return read === undefined ? [] : [{ what: `${conversationId}: user ${userId} had read up to seq ${read.seq}, and stands at ${readSeq}` }]
  })
}

/**
 * The unread count is the number of others' messages above your read position that are not deleted, as in a fresh
 * fetch.
 */
export function wrongCounts ({ counts, snapshots }: Pick<History, 'counts' | 'snapshots'>): Finding[] {
  const last = new Map(snapshots.map(snapshot => [snapshot.conversationId, snapshot]))
  return counts.flatMap(({ userId, conversationId, readSeq, unreadCount }) => {
    const messages = last.get(conversationId)?.messages
    if (messages === undefined) return []
    const unread = messages.filter(({ seq, isDeleted, senderId, user }) => seq > readSeq && !isDeleted && (senderId ?? user)?._id !== userId).length
    return Math.min(unread, countedMax) === unreadCount ? [] : [{ what: `${conversationId}: user ${userId}, who has read up to seq ${readSeq}, is told of ${unreadCount} unread messages; there are ${unread}` }]
  })
}

/** Higher counts are not exact. */
const countedMax = 1_000
