import type { Attempt, Connection, Follower, History, Seen } from '../history.ts'
import type { Checked, Finding } from '../report.ts'

const newMessage = new Set(['directMessage', 'roomMessage', 'commonChatMessage'])

/**
 * Promise 4: a message has the same seq for everybody, live delivery follows that order, and one sender's order on one
 * connection is kept.
 */
export function checkOrder ({ seen, attempts, connections, followers }: Pick<History, 'seen' | 'attempts' | 'connections' | 'followers'>): Checked {
  return {
    looked: seen.length + attempts.length,
    unexercised: seen.length === 0 ? ['no message was seen'] : [],
    findings: [...places(seen), ...connections.flatMap(liveOrder), ...sendOrder(attempts), ...followers.flatMap(answerOrder)]
  }
}

function places (seen: readonly Seen[]): Finding[] {
  const seqs = new Map<string, number>()
  const owners = new Map<string, string>()
  const findings: Finding[] = []
  for (const { messageId, conversationId, seq } of seen) {
    const had = seqs.get(messageId)
    if (had !== undefined && had !== seq) findings.push({ what: `${conversationId}: message ${messageId} was seen at seq ${had} and at seq ${seq}` })
    seqs.set(messageId, seq)
    const place = `${conversationId} ${seq}`
    const owner = owners.get(place)
    if (owner !== undefined && owner !== messageId) findings.push({ what: `${conversationId}: seq ${seq} was seen of message ${owner} and of message ${messageId}` })
    owners.set(place, messageId)
  }
  return findings
}

function liveOrder ({ device, events }: Connection): Finding[] {
  const reached = new Map<string, number>()
  const findings: Finding[] = []
  for (const { name, conversationId, seq, rev } of events) {
    if (!newMessage.has(name)) continue
    const before = reached.get(conversationId) ?? 0
    if (seq < before) findings.push({ what: `${conversationId}: device ${device} got seq ${seq} (rev ${rev}) live after seq ${before}` })
    reached.set(conversationId, Math.max(before, seq))
  }
  return findings
}

function sendOrder (attempts: readonly Attempt[]): Finding[] {
  const sequences = new Map<string, Attempt[]>()
  for (const attempt of attempts) {
    if (!attempt.first || attempt.connection === '' || attempt.ending.kind !== 'stored' || attempt.ending.duplicate) continue
    const key = `${attempt.connection} ${attempt.conversationId}`
    sequences.set(key, [...sequences.get(key) ?? [], attempt])
  }
  const findings: Finding[] = []
  for (const sequence of sequences.values()) {
    sequence.sort((a, b) => a.place - b.place)
    let before: Attempt | undefined
    for (const attempt of sequence) {
      if (before !== undefined && seqOf(attempt) < seqOf(before)) {
        findings.push({ what: `${attempt.conversationId}: ${before.clientMessageId} was sent before ${attempt.clientMessageId} over one connection, and has seq ${seqOf(before)} after ${seqOf(attempt)}` })
      }
      before = attempt
    }
  }
  return findings
}

const seqOf = ({ ending }: Attempt): number => ending.kind === 'stored' ? ending.seq : 0

/** `sync-conversation` returns messages in order of creation. */
function answerOrder ({ name, conversationId, knows, pages }: Follower): Finding[] {
  if (knows === 'sync') return []
  const wrong = pages.find(({ createdAt }) => createdAt.some((time, index) => index > 0 && time < createdAt[index - 1]!))
  return wrong === undefined ? [] : [{ what: `${conversationId}: ${name} got an answer that is not in createdAt order: ${wrong.createdAt.join(' ')}` }]
}
