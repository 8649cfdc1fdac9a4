import type { Core } from '../core.ts'
import { targetOf } from '../pure/outbox.ts'
import type { StoredOperation } from '../pure/state.ts'
import { Computed } from '../readable.ts'
import type { Operation, Readable } from '../types.ts'

export function toOperation ({ position, conversationId, state, notBefore, attempts, error, createdAt, work }: StoredOperation): Operation {
  const target = targetOf(work)
  return { position, type: work.type, conversationId, messageKey: target?.clientMessageId ?? target?.messageId, state, notBefore, attempts, error, createdAt }
}

export function outboxOf (core: Core): Readable<readonly Operation[]> {
  const outbox = new Computed<readonly Operation[]>(() => core.engine?.operations.map(toOperation) ?? [])
  core.changed.add(changed => {
    const { add = [], put = [], settle = [] } = changed === 'all' ? {} : changed.batch
    if (changed === 'all' || add.length + put.length + settle.length > 0) outbox.invalidate()
    for (const operation of put) if (operation.state === 'failed') core.emit('failed', toOperation(operation))
  })
  return outbox
}
