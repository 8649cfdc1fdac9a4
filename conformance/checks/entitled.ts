import type { Connection, History, Probe, Removal } from '../history.ts'
import type { Checked, Finding } from '../report.ts'

/**
 * Promise 6: strangers are refused as if nothing existed and receive nothing, and query operators from a client are
 * only text.
 */
export function checkEntitled (history: Pick<History, 'probes' | 'connections' | 'members' | 'removals' | 'absent' | 'leaks'>): Checked {
  const { probes, connections, members, removals, absent, leaks } = history
  const findings = [
    ...leaks.map(what => ({ what })),
    ...probes.flatMap(judge),
    ...connections.flatMap(connection => overheard(connection, members)),
    ...removals.flatMap(removal => afterRemoval(removal, connections))
  ]
  return {
    looked: probes.length + connections.reduce((sum, { events }) => sum + events.length, 0),
    unexercised: [
      ...(probes.length > 0 ? [] : ['nothing was tried']),
      ...(absent.has('members') ? ['removal from a private room: the server does not have it'] : [])
    ],
    findings
  }
}

function judge ({ what, expected, status, code, ofNothing }: Probe): Finding[] {
  const answer = `${status} ${code}`.trim()
  if (status >= 500) return [{ what: `${what} was answered ${answer}` }]
  if (expected === 'allowed') return status < 400 ? [] : [{ what: `${what} was refused: ${answer}` }]
  if (status < 400) return [{ what: `${what} was answered ${answer}` }]
  if (expected !== 'hidden' || ofNothing === undefined) return []
  if (status === ofNothing.status && code === ofNothing.code) return []
  return [{ what: `${what} was answered ${answer}, and where there is nothing ${`${ofNothing.status} ${ofNothing.code}`.trim()}: the difference tells that it exists` }]
}

function overheard ({ device, userId, events }: Connection, members: History['members']): Finding[] {
  const foreign = events.find(({ conversationId }) => members.get(conversationId)?.has(userId) === false)
  return foreign === undefined ? [] : [{ what: `${foreign.conversationId}: device ${device} of user ${userId}, who is not in it, got ${foreign.name} at rev ${foreign.rev}` }]
}

function afterRemoval ({ userId, conversationId, rev, untilRev }: Removal, connections: readonly Connection[]): Finding[] {
  return connections.filter(connection => connection.userId === userId).flatMap(({ device, events }) => {
    const late = events.find(event => event.conversationId === conversationId && event.rev > rev && event.rev < untilRev)
    return late === undefined ? [] : [{ what: `${conversationId}: device ${device} of user ${userId}, removed at rev ${rev}, got ${late.name} at rev ${late.rev}` }]
  })
}
