import type { History } from '../history.ts'
import type { Finding } from '../report.ts'

/** What is set is found, until another value is; where no answer came, either may stand. */
export function lostSettings ({ settings }: Pick<History, 'settings'>): Finding[] {
  const possible = new Map<string, Set<string>>()
  const findings: Finding[] = []
  for (const { key, kind, value } of settings) {
    const values = possible.get(key)
    if (kind === 'set') possible.set(key, new Set([value]))
    // Nothing is known of a key before it was set for the first time.
    else if (values === undefined) continue
    else if (kind === 'unknown') values.add(value)
    else if (!values.has(value)) findings.push({ what: `${key} was set to ${[...values].join(' or ')}, and is "${value}"` })
  }
  return findings
}

/** A read position that was acknowledged is not further back when everything is fetched afresh. */
export function lostReads ({ reads, counts }: Pick<History, 'reads' | 'counts'>): Finding[] {
  return counts.flatMap(({ userId, conversationId, readSeq, startedAt }) => {
    const read = reads.find(one => one.userId === userId && one.conversationId === conversationId && one.doneAt < startedAt && one.seq > readSeq)
    return read === undefined ? [] : [{ what: `${conversationId}: user ${userId} had read up to seq ${read.seq}, and stands at ${readSeq}` }]
  })
}

/** Unread are the messages of others behind the own position that are not deleted: as many as a fresh fetch holds. */
export function wrongCounts ({ counts, snapshots }: Pick<History, 'counts' | 'snapshots'>): Finding[] {
  const last = new Map(snapshots.map(snapshot => [snapshot.conversationId, snapshot]))
  return counts.flatMap(({ userId, conversationId, readSeq, unreadCount }) => {
    const messages = last.get(conversationId)?.messages
    if (messages === undefined) return []
    const unread = messages.filter(({ seq, isDeleted, senderId, user }) => seq > readSeq && !isDeleted && (senderId ?? user)?._id !== userId).length
    return Math.min(unread, countedMax) === unreadCount ? [] : [{ what: `${conversationId}: user ${userId}, who has read up to seq ${readSeq}, is told of ${unreadCount} unread messages; there are ${unread}` }]
  })
}

/** More are not counted. */
const countedMax = 1_000
