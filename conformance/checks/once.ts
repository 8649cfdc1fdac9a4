import { type Attempt, type History, type Snapshot, senderOf } from '../history.ts'
import type { Checked, Finding } from '../report.ts'

/** Promise 2: all attempts with one clientMessageId make one message, and another body under it is refused. */
export function checkOnce ({ attempts, snapshots, absent }: Pick<History, 'attempts' | 'snapshots' | 'absent'>): Checked {
  const groups = new Map<string, Attempt[]>()
  for (const attempt of attempts) {
    const key = `${attempt.conversationId} ${attempt.senderId} ${attempt.clientMessageId}`
    groups.set(key, [...groups.get(key) ?? [], attempt])
  }
  const last = new Map(snapshots.map(snapshot => [snapshot.conversationId, snapshot]))
  const stored = new Map([...last.values()].flatMap(storedIn))
  const findings: Finding[] = []
  let looked = 0
  for (const [key, tries] of groups) {
    if (tries.length > 1) looked++
    const snapshot = last.get(tries[0]!.conversationId)
    findings.push(...judge(tries, stored.get(key), snapshot))
  }
  return {
    looked,
    unexercised: [
      ...(looked > 0 ? [] : ['nothing was sent twice']),
      ...(absent.has('push') ? ['push: the server does not have it'] : [])
    ],
    findings
  }
}

function storedIn ({ conversationId, messages }: Snapshot): Array<[string, string[]]> {
  const ids = new Map<string, string[]>()
  for (const message of messages) {
    if (message.clientMessageId === null) continue
    const key = `${conversationId} ${senderOf(message)} ${message.clientMessageId}`
    ids.set(key, [...ids.get(key) ?? [], message._id])
  }
  return [...ids]
}

function judge (tries: readonly Attempt[], stored: readonly string[] = [], snapshot: Snapshot | undefined): Finding[] {
  const { conversationId, clientMessageId } = tries[0]!
  const name = `${conversationId}: clientMessageId ${clientMessageId}, sent ${tries.length} times over ${[...new Set(tries.map(({ via }) => via))].join(', ')},`
  const findings: Finding[] = []
  const done = tries.filter(({ ending }) => ending.kind === 'stored')
  const ids = new Set(done.map(({ ending }) => ending.kind === 'stored' ? ending.messageId : ''))
  if (ids.size > 1) findings.push({ what: `${name} was answered with ${ids.size} messages: ${[...ids].join(' and ')}` })
  const made = done.filter(({ ending }) => ending.kind === 'stored' && !ending.duplicate)
  if (made.length > 1) findings.push({ what: `${name} was answered as new ${made.length} times` })
  if (new Set(done.map(({ content }) => content)).size > 1) findings.push({ what: `${name} was accepted with different bodies` })
  const mismatched = tries.find(({ ending }) => ending.kind === 'refused' && ending.code === 'IDEMPOTENCY_MISMATCH')
  if (mismatched !== undefined && new Set(tries.map(({ content }) => content)).size === 1) findings.push({ what: `${name} always with one body, was refused as IDEMPOTENCY_MISMATCH` })
  if (stored.length > 1) findings.push({ what: `${name} is stored ${stored.length} times: ${stored.join(' and ')}` })
  if (snapshot !== undefined && done.length > 0 && stored.length === 1 && !ids.has(stored[0]!)) findings.push({ what: `${name} was answered with ${[...ids].join(' and ')} and is stored as ${stored[0]!}` })
  return findings
}
