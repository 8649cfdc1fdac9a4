import type { Core } from '../core.ts'
import { targetOf } from '../pure/outbox.ts'
import type { StoredOperation } from '../pure/state.ts'
import { memo } from '../readable.ts'
import type { Operation, Readable } from '../types.ts'

export function toOperation ({ position, conversationId, state, notBefore, attempts, error, createdAt, work }: StoredOperation): Operation {
  const target = targetOf(work)
  return { position, type: work.type, conversationId, messageKey: target?.clientMessageId ?? target?.messageId, state, notBefore, attempts, error, createdAt }
}

export function outboxOf (core: Core): Readable<readonly Operation[]> {
  core.changed.add(changed => {
    for (const operation of changed === 'all' ? [] : changed.batch.put ?? []) {
      if (operation.state === 'failed') core.emit('failed', toOperation(operation))
    }
  })
  const shown = memo((operations: readonly StoredOperation[] = []) => operations.map(toOperation))
  return core.computed(() => shown(core.engine?.operations))
}
