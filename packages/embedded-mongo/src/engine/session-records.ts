/**
 * What is stored of a session, beside the catalog: the results or the commit of its latest transaction number. A record
 * lands in the LMDB transaction of the writes it speaks of; if it came later, a crash in between would let a retry
 * happen twice. Those of earlier numbers lie there until they are overwritten or expire.
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

/** The one result of the statements `from` to `to`, or null for a committed transaction. */
export type SessionRecord = { readonly txnNumber: bigint, readonly from: number, to: number, readonly result: Doc | null }

/** Puts a record into the commit that is under way. */
export function putRecord (store: Store, sessionKey: string, { txnNumber, from, to, result }: SessionRecord, nowMs: number): void {
  store.put(RECORDS + sessionKey + prefixOf(from), encode(docOf({ txnNumber, at: DateTime.fromMs(nowMs), from: int32(from), to: int32(to), result })))
}

/** All records of the session's latest transaction number. */
export function loadRecords (store: Store, sessionKey: string): SessionRecord[] {
  let latest: SessionRecord[] = []
  store.view.scan(RECORDS + sessionKey, RECORDS + sessionKey + '\xff'.repeat(STATEMENT_BYTES), false, key => {
    const record = read(decode(store.view.peek(key)!))
    const known = latest[0]?.txnNumber ?? record.txnNumber
    if (record.txnNumber > known) latest = []
    if (record.txnNumber >= known) latest.push(record)
    return true
  })
  return latest
}

function read (doc: Doc): SessionRecord {
  return { txnNumber: doc.get('txnNumber') as bigint, from: toNumber(doc.get('from')), to: toNumber(doc.get('to')), result: doc.get('result') as Doc | null }
}

/** Removes the records written before a time of sessions that are not in use. */
export async function removeRecords (store: Store, beforeMs: number, isInUse: (sessionKey: string) => boolean): Promise<void> {
  await removeKeys(store, RECORDS, RECORDS_END, key => {
    const writtenAt = decode(store.view.peek(key)!).get('at') as DateTime
    return writtenAt.ms < beforeMs && !isInUse(key.slice(RECORDS.length, -STATEMENT_BYTES))
  })
}
