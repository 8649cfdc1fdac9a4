/**
 * The stored part of a session, next to the catalog: the results, or the commit, of its latest transaction number. A
 * record is written in the same LMDB transaction as the writes it describes. If it were written later, a retry after a
 * crash between the two would repeat the writes. Records of earlier numbers stay until they are overwritten or expire.
 */
import { decode, encode } from '../bson/index.ts'
import { DateTime, docOf, int32, toNumber } from '../values/values.ts'
import type { Doc } from '../values/values.ts'
import { removeKeys } from '../store/background.ts'
import { prefixOf } from '../store/keys.ts'
import type { Store } from '../store/store.ts'

const RECORDS = prefixOf(0) + 'retry:'
const RECORDS_END = prefixOf(0) + 'retry;'

const STATEMENT_BYTES = 4

/** The result that the statements `from` to `to` share; null stands for a committed transaction. */
export type SessionRecord = {
  readonly txnNumber: bigint
  readonly from: number
  to: number
  readonly result: Doc | null
}

/** Adds a record to the current commit. */
export function putRecord (store: Store, sessionKey: string, record: SessionRecord, nowMs: number): void {
  const { txnNumber, from, to, result } = record
  const stored = docOf({ txnNumber, at: DateTime.fromMs(nowMs), from: int32(from), to: int32(to), result })
  store.put(RECORDS + sessionKey + prefixOf(from), encode(stored))
}

/** All records of the session's latest transaction number. */
export function loadRecords (store: Store, sessionKey: string): SessionRecord[] {
  let latest: SessionRecord[] = []
  store.view.scan(RECORDS + sessionKey, RECORDS + sessionKey + '\xff'.repeat(STATEMENT_BYTES), false, key => {
    const record = read(decode(store.view.peek(key)!))
    const newest = latest[0]?.txnNumber ?? record.txnNumber
    if (record.txnNumber > newest) latest = []
    if (record.txnNumber >= newest) latest.push(record)
    return true
  })
  return latest
}

function read (doc: Doc): SessionRecord {
  return {
    txnNumber: doc.get('txnNumber') as bigint,
    from: toNumber(doc.get('from')),
    to: toNumber(doc.get('to')),
    result: doc.get('result') as Doc | null
  }
}

/** Removes records that were written before a time and whose session is not in use. */
export async function removeRecords (
  store: Store, beforeMs: number, isInUse: (sessionKey: string) => boolean
): Promise<void> {
  await removeKeys(store, RECORDS, RECORDS_END, key => {
    const writtenAt = decode(store.view.peek(key)!).get('at') as DateTime
    return writtenAt.ms < beforeMs && !isInUse(key.slice(RECORDS.length, -STATEMENT_BYTES))
  })
}
