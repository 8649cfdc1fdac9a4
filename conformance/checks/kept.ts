import { type History, type Message, type Seen, type Snapshot, senderOf } from '../history.ts'
import type { Checked, Finding } from '../report.ts'
import { lostReads, lostSettings } from './settings.ts'

/**
 * Promise 1: every message that a user was shown is in every later sync, once, in its place and not older than it was
 * shown. Every acknowledged setting persists.
 */
export function checkKept (history: Pick<History, 'seen' | 'snapshots' | 'kills' | 'absent' | 'settings' | 'reads' | 'counts'>): Checked {
  const { seen, snapshots, kills, absent, settings } = history
  const newest = newestSights(seen)
  const findings = [
    ...snapshots.flatMap(snapshot => [...doubles(snapshot), ...lost(snapshot, newest.get(snapshot.conversationId) ?? [])]),
    ...lostSettings(history),
    ...lostReads(history)
  ]
  return {
    looked: snapshots.reduce((sum, { messages }) => sum + messages.length, 0) + settings.filter(({ kind }) => kind === 'found').length,
    unexercised: [
      ...(kills > 0 ? [] : ['no process was killed (tell how with --kill and --restart)']),
      ...(absent.has('push') ? ['push: the server does not have it'] : [])
    ],
    findings
  }
}

/** By conversation, the sights of each message, the lowest seq first. */
function newestSights (seen: readonly Seen[]): Map<string, Seen[][]> {
  const byMessage = new Map<string, Seen[]>()
  for (const sight of seen) {
    const sights = byMessage.get(sight.messageId)
    if (sights === undefined) byMessage.set(sight.messageId, [sight])
    // Only a newer rev or an earlier time can prove more.
    else if (sights.every(({ rev, at }) => sight.rev > rev || sight.at < at)) sights.push(sight)
  }
  const byConversation = new Map<string, Seen[][]>()
  for (const sights of byMessage.values()) {
    const { conversationId } = sights[0]!
    byConversation.set(conversationId, [...byConversation.get(conversationId) ?? [], sights])
  }
  for (const list of byConversation.values()) list.sort((a, b) => a[0]!.seq - b[0]!.seq)
  return byConversation
}

function lost ({ name, startedAt, afterSeq, messages }: Snapshot, expected: readonly Seen[][]): Finding[] {
  const held = new Map(messages.map(message => [message._id, message]))
  const findings: Finding[] = []
  for (const sights of expected) {
    for (const sight of sights) {
      if (sight.at >= startedAt || sight.seq <= afterSeq) continue
      const message = held.get(sight.messageId)
      if (message === undefined) findings.push({ what: `${describe(sight)} is not in the sync ${name}` })
      else if (message.seq !== sight.seq) findings.push({ what: `${describe(sight)} has seq ${message.seq} in the sync ${name}` })
      else if (message.rev < sight.rev) findings.push({ what: `${describe(sight)} is back at rev ${message.rev} in the sync ${name}` })
      else continue
      break
    }
  }
  return findings
}

function doubles ({ name, conversationId, messages }: Snapshot): Finding[] {
  const findings: Finding[] = []
  const keys: Array<[string, (message: Message) => string | null]> = [
    ['id', ({ _id }) => _id],
    ['seq', ({ seq }) => String(seq)],
    ['rev', ({ rev }) => String(rev)],
    ['clientMessageId of one sender', message => message.clientMessageId === null ? null : `${senderOf(message)} ${message.clientMessageId}`]
  ]
  for (const [what, keyOf] of keys) {
    const had = new Map<string, Message>()
    for (const message of messages) {
      const key = keyOf(message)
      if (key === null) continue
      const before = had.get(key)
      if (before !== undefined) findings.push({ what: `${conversationId}: two messages of the same ${what} (${key}) in the sync ${name}: ${before._id} and ${message._id}` })
      had.set(key, message)
    }
  }
  return findings
}

function describe ({ how, messageId, conversationId, clientMessageId, seq, rev }: Seen): string {
  return `${conversationId}: message ${messageId} (clientMessageId ${String(clientMessageId)}), ${how} at seq ${seq}, rev ${rev},`
}
