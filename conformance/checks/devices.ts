import type { Connection, History, LiveEvent, Read } from '../history.ts'
import type { Checked, Finding } from '../report.ts'

/**
 * Milliseconds that a device must have stayed connected after an acknowledgement before a missing event is a finding.
 */
export const deliveryMs = 5_000

/** Milliseconds for which a word may be on its way to the other nodes: it is lost if the link ends meanwhile. */
const wayMs = 2_000

/** A user's action that the user's devices must receive. */
interface Deed {
  what: string
  userId: string
  conversationId: string
  startedAt: number
  doneAt: number
  arrived: (index: Arrived) => boolean
  /** The connection that need not receive it. */
  except: string
}

/** Events that arrived over one connection. */
interface Arrived {
  byMessage: Map<string, LiveEvent[]>
  /** Highest read position, by conversation and user. */
  reads: Map<string, number>
}

/**
 * Promise 5: if a user sends, edits, deletes or reads on one device, the user's other devices receive it exactly once.
 */
export function checkDevices (
  history: Pick<History, 'attempts' | 'changes' | 'reads' | 'connections'> & Partial<Pick<History, 'unlinked'>>
): Checked {
  const { connections, unlinked = [] } = history
  const arrived = new Map(connections.map(connection => [connection, indexOf(connection)]))
  const findings: Finding[] = []
  let looked = 0
  for (const deed of deedsOf(history)) {
    if (unlinked.some(({ from, to }) => deed.doneAt >= from - wayMs && deed.startedAt <= to)) continue
    for (const connection of connections) {
      if (!mustHear(connection, deed)) continue
      looked++
      if (!deed.arrived(arrived.get(connection)!)) findings.push({ what: `${deed.conversationId}: device ${connection.device} of user ${deed.userId} never heard of ${deed.what}` })
    }
  }
  return {
    looked,
    unexercised: looked > 0 ? [] : ['no device stayed connected for long enough'],
    findings: [...findings, ...connections.flatMap(twice)]
  }
}

function deedsOf ({ attempts, changes, reads }: Pick<History, 'attempts' | 'changes' | 'reads'>): Deed[] {
  const deeds: Deed[] = []
  for (const { ending, senderId: userId, conversationId, startedAt } of attempts) {
    if (ending.kind !== 'stored' || ending.duplicate) continue
    const { messageId, seq, at: doneAt } = ending
    deeds.push({ what: `message ${messageId} (seq ${seq})`, userId, conversationId, startedAt, doneAt, except: '', arrived: ({ byMessage }) => byMessage.has(messageId) })
  }
  for (const { type, userId, conversationId, messageId, startedAt, ending } of changes) {
    if (ending.kind !== 'done') continue
    const { rev, at: doneAt } = ending
    deeds.push({
      what: `the ${type} of message ${messageId} (rev ${rev})`,
      userId,
      conversationId,
      startedAt,
      doneAt,
      except: '',
      arrived: ({ byMessage }) => byMessage.get(messageId)?.some(event => event.rev >= rev) ?? false
    })
  }
  for (const read of reads) {
    if (!isNews(read, reads)) continue
    const { userId, conversationId, seq, connection, startedAt, doneAt } = read
    deeds.push({
      what: `reading up to seq ${seq}`,
      userId,
      conversationId,
      startedAt,
      doneAt,
      except: connection,
      arrived: index => (index.reads.get(`${conversationId} ${userId}`) ?? 0) >= seq
    })
  }
  return deeds
}

/** Must this read be delivered? Not if an earlier one may have gone as far: then it moved nothing. */
function isNews ({ userId, conversationId, seq, doneAt, startedAt }: Read, reads: readonly Read[]): boolean {
  return doneAt < Infinity && !reads.some(other => other.userId === userId && other.conversationId === conversationId &&
    (other.seq > seq ? other.startedAt <= doneAt : other.seq === seq && (other.startedAt < startedAt || other.doneAt === Infinity)))
}

function mustHear (connection: Connection, { userId, conversationId, startedAt, doneAt, except }: Deed): boolean {
  if (connection.userId !== userId || connection.id === except) return false
  const since = connection.since.get(conversationId)
  return since !== undefined && startedAt > since && connection.closedAt - doneAt >= deliveryMs && connection.resyncAt > doneAt + deliveryMs
}

function indexOf ({ events }: Connection): Arrived {
  const index: Arrived = { byMessage: new Map(), reads: new Map() }
  for (const event of events) {
    if (event.messageId !== '') index.byMessage.set(event.messageId, [...index.byMessage.get(event.messageId) ?? [], event])
    if (event.name !== 'messagesRead') continue
    const key = `${event.conversationId} ${event.userId}`
    index.reads.set(key, Math.max(index.reads.get(key) ?? 0, event.seq))
  }
  return index
}

function twice ({ device, events }: Connection): Finding[] {
  const had = new Set<string>()
  const findings: Finding[] = []
  for (const { name, messageId, conversationId, rev } of events) {
    if (messageId === '' || rev === 0) continue
    const key = `${messageId} ${rev}`
    if (had.has(key)) findings.push({ what: `${conversationId}: device ${device} got message ${messageId} at rev ${rev} twice (${name})` })
    had.add(key)
  }
  return findings
}
