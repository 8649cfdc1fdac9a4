/** The reply that opens a cursor, or that holds everything when the first batch does. */
import type { Call } from './command.ts'
import type { DocumentSource } from './cursors.ts'
import { ReplyBatch } from './reply-batch.ts'

export type FirstBatchOptions = { batchSize: number, singleBatch?: boolean, noCursorTimeout?: boolean }

export function firstReply (call: Call, namespace: string, source: DocumentSource, options: FirstBatchOptions): Buffer {
  const batch = new ReplyBatch('firstBatch', namespace)
  const exhausted = source.fill(call.view, batch, options.batchSize)
  if (exhausted || options.singleBatch === true) return batch.finish(0n)
  const cursor = call.engine.cursors.add(namespace, source, call.transaction, options.noCursorTimeout !== true, call.nowMs)
  return batch.finish(cursor.id)
}
