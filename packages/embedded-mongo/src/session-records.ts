/**
 * What is stored of a session, beside the catalog: its latest transaction number, and the results or the commit that
 * belong to it. A record lands in the LMDB transaction of the writes it speaks of; if it came later, a crash in between
 * would let a retry happen twice. A write of many statements leaves a record each time a part of it lands, numbered
 * from 0; a record of another transaction number than record 0 is what an earlier write left.
 */
import { decode, encode } from './bson-bytes.ts'
import { DateTime, docOf, int32, toNumber } from './values.ts'
import type { Doc, Value } from './values.ts'
import { prefixOf } from './store/keys.ts'
import type { Store } from './store/store.ts'

const RECORDS = prefixOf(0) + 'session:'
const RECORDS_END = prefixOf(0) + 'session;'

const PART_BYTES = 4

/** As many records at a time, so that commands need not wait long. */
const PORTION = 1_000

/** Statements `from` to `to`, which all had the same result. */
export type ResultRun = { readonly from: number, to: number, readonly result: Doc }

export type SessionRecord = { readonly txnNumber: bigint, readonly committed: boolean, readonly runs: readonly ResultRun[] }

/** Puts record `part` of the session into the commit that is under way. */
export function putRecord (store: Store, sessionKey: string, part: number, record: SessionRecord, nowMs: number): void {
  const runs = record.runs.flatMap(({ from, to, result }): Value[] => [int32(from), int32(to), result])
  store.put(keyOf(sessionKey, part), encode(docOf({ txnNumber: record.txnNumber, at: DateTime.fromMs(nowMs), committed: record.committed, runs })))
}

/** All records of the session's latest transaction number, in order. */
export function loadRecords (store: Store, sessionKey: string): SessionRecord[] {
  const records: SessionRecord[] = []
  for (;;) {
    const bytes = store.view.get(keyOf(sessionKey, records.length))
    const record = bytes === undefined ? undefined : read(decode(bytes))
    if (record === undefined || record.txnNumber !== (records[0] ?? record).txnNumber) return records
    records.push(record)
  }
}

function read (doc: Doc): SessionRecord {
  const stored = doc.get('runs') as Value[]
  const runs: ResultRun[] = []
  for (let i = 0; i < stored.length; i += 3) runs.push({ from: toNumber(stored[i]), to: toNumber(stored[i + 1]), result: stored[i + 2] as Doc })
  return { txnNumber: doc.get('txnNumber') as bigint, committed: doc.get('committed') === true, runs }
}

/** Removes the records written before a time of sessions that are not in use. */
export async function removeRecords (store: Store, beforeMs: number, isInUse: (sessionKey: string) => boolean): Promise<void> {
  for (let from: string | undefined = RECORDS; from !== undefined && !store.closed;) {
    const stale: string[] = []
    let looked = 0
    let last: string = from
    store.view.scan(from, RECORDS_END, false, key => {
      last = key
      const writtenAt = decode(store.view.peek(key)!).get('at') as DateTime
      if (writtenAt.ms < beforeMs && !isInUse(key.slice(RECORDS.length, -PART_BYTES))) stale.push(key)
      return ++looked < PORTION
    })
    if (stale.length > 0) store.nextCommit()
    for (const key of stale) store.put(key, null)
    await store.durable()
    from = looked < PORTION ? undefined : last + '\0'
  }
}

function keyOf (sessionKey: string, part: number): string {
  return RECORDS + sessionKey + prefixOf(part)
}
