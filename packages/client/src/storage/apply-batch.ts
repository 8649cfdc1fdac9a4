import type { Batch, ConversationRecord, Person, Row, SelfRecord, StoredOperation } from '../pure/state.ts'
import { type Loaded, Stale } from './storage.ts'

/** An account in memory. */
export interface Held {
  self: SelfRecord | undefined
  conversations: Map<string, ConversationRecord>
  rows: Map<string, Map<number, Row>>
  users: Map<string, Person>
  operations: Map<number, StoredOperation>
  drafts: Map<string, string>
  files: Map<string, Blob>
  term: number
  lastPosition: number
}

export function nothingHeld (): Held {
  return {
    self: undefined,
    conversations: new Map(),
    rows: new Map(),
    users: new Map(),
    operations: new Map(),
    drafts: new Map(),
    files: new Map(),
    term: 0,
    lastPosition: 0
  }
}

/** What a storage does with a batch: it is checked first, so that a refused one leaves nothing behind. */
export function applyBatch (held: Held, batch: Batch): number[] {
  if (batch.term !== undefined && batch.term !== held.term) throw new Stale('another tab leads')
  for (const { position, version } of batch.put ?? []) if (held.operations.get(position)?.version !== version - 1) throw new Stale('the operation was changed')
  for (const { position, version } of batch.settle ?? []) if ((held.operations.get(position)?.version ?? version) !== version) throw new Stale('the operation was changed')
  applyRecords(held, batch)
  for (const id of [...batch.drop ?? [], ...batch.dropRows ?? []]) held.rows.delete(id)
  for (const [id, through] of batch.purge ?? []) {
    const rows = held.rows.get(id)
    for (const seq of [...rows?.keys() ?? []]) if (seq <= through) rows!.delete(seq)
  }
  for (const [id, seqs] of batch.hide ?? []) for (const seq of seqs) held.rows.get(id)?.delete(seq)
  for (const row of batch.rows ?? []) putRow(held, row)
  for (const { position } of batch.settle ?? []) held.operations.delete(position)
  for (const operation of batch.put ?? []) held.operations.set(operation.position, operation)
  for (const [key, bytes] of batch.files ?? []) held.files.set(key, bytes)
  for (const key of batch.dropFiles ?? []) held.files.delete(key)
  return (batch.add ?? []).map(operation => {
    const position = ++held.lastPosition
    held.operations.set(position, { ...operation, position })
    return position
  })
}

/** Applies a batch to what is held beside messages, outbox and files. */
export function applyRecords (
  held: Pick<Held, 'self' | 'conversations' | 'users' | 'drafts'>,
  { drop = [], conversations = [], self, users = [], drafts = [] }: Batch
): void {
  for (const id of drop) held.conversations.delete(id)
  for (const record of conversations) held.conversations.set(record.id, record)
  if (self !== undefined) held.self = self
  for (const user of users) held.users.set(user.id, user)
  for (const [id, text] of drafts) text === '' ? held.drafts.delete(id) : held.drafts.set(id, text)
}

function putRow (held: Held, row: Row): void {
  const rows = held.rows.get(row.conversationId) ?? new Map<number, Row>()
  held.rows.set(row.conversationId, rows)
  if (row.rev > (rows.get(row.seq)?.rev ?? 0)) rows.set(row.seq, row)
}

export function loadHeld (held: Held): Loaded {
  return {
    self: held.self,
    conversations: [...held.conversations.values()],
    users: [...held.users.values()],
    operations: [...held.operations.values()].sort((a, b) => a.position - b.position),
    drafts: [...held.drafts],
    term: held.term
  }
}

/** Ascending; the last `limit` of them if there are more. */
export function rowsHeld (held: Held, id: string, from: number, to: number, limit = Infinity): Row[] {
  const rows = [...held.rows.get(id)?.values() ?? []].filter(({ seq }) => seq >= from && seq <= to).sort((a, b) => a.seq - b.seq)
  return rows.length > limit ? rows.slice(-limit) : rows
}
