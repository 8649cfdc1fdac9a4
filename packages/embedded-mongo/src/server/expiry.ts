/** Removes documents that a TTL index declares expired, through `delete` as a client would. */
import { dispatch } from './dispatch.ts'
import type { Engine } from '../engine/engine.ts'
import { DateTime, docOf, int32 } from '../values/values.ts'

const EXPIRY_INTERVAL_MS = 60_000

/** Removes expired documents and the records of expired sessions, once a minute. */
export function startExpiry (engine: Engine): void {
  engine.every(EXPIRY_INTERVAL_MS, async nowMs => {
    await removeExpired(engine, nowMs)
    await engine.sessions.removeExpired(nowMs)
  })
}

export async function removeExpired (engine: Engine, nowMs: number): Promise<void> {
  for (const { database, name, indexes } of [...engine.catalog.all()]) {
    for (const { fields, expireAfterSeconds, ready, spec } of [...indexes]) {
      if (expireAfterSeconds === undefined || !ready) continue
      const expired = docOf({ [fields[0]!.path]: docOf({ $lt: DateTime.fromMs(nowMs - expireAfterSeconds * 1_000) }) })
      const partial = spec.get('partialFilterExpression')
      const q = partial === undefined ? expired : docOf({ $and: [expired, partial] })
      const body = docOf({ delete: name, deletes: [docOf({ q, limit: int32(0) })], $db: database })
      const request = { requestId: 0, body, rawDocuments: () => undefined, wantsReply: false, legacy: false }
      await dispatch(engine, request, 0)
    }
  }
}
