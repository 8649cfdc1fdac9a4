import type { Failure } from '../values.ts'
import { type OutboxChange, filesOf, isAbout, targetOf } from './outbox.ts'
import type { PendingFile, Row, StoredOperation, Target } from './state.ts'
import type { WireResult } from './wire.ts'

/** Which operations of the outbox go to the server next, and what becomes of them after its answer. */

/** Operations in one call. */
export const pushMax = 100
/** Characters in one call, about. */
const pushLengthMax = 200_000
/** A clock that was set back must not keep an operation for longer. */
const waitMax = 300_000

/**
 * What is sent next, in one call. In a conversation one send at a time: a second one could overtake a first that is
 * refused for a moment. A failed operation, or one that waits for its files, holds up only operations on its message.
 */
export function plan (operations: readonly StoredOperation[], now: number): StoredOperation[] {
  const chosen: StoredOperation[] = []
  const closed = new Set<string>()
  const held: StoredOperation[] = []
  let length = 0
  for (const operation of operations) {
    const { conversationId: id, state, work } = operation
    if (closed.has(id)) continue
    const target = targetOf(work)
    const isHeld = state === 'failed' || !isUploaded(operation)
    if (isHeld) held.push(operation)
    const isBehind = target !== undefined && held.some(other => other.conversationId === id && isAbout(other, target))
    if (isHeld || isBehind) continue
    if (!isReady(operation, now)) {
      closed.add(id)
      continue
    }
    length += JSON.stringify(work).length
    if (chosen.length > 0 && length > pushLengthMax) break
    chosen.push(operation)
    if (chosen.length === pushMax) break
    const sends = chosen.filter(other => other.conversationId === id && other.work.type === 'send')
    if (work.type === 'send' && sends.length > 1) {
      chosen.pop()
      closed.add(id)
    }
  }
  return chosen
}

function isReady ({ notBefore = 0 }: StoredOperation, now: number): boolean {
  return notBefore <= now || notBefore > now + waitMax
}

/** Milliseconds until there is something to send; undefined: nothing waits. */
export function nextIn (operations: readonly StoredOperation[], now: number): number | undefined {
  if (plan(operations, now).length > 0) return 0
  const times = operations.flatMap(({ state, notBefore }) =>
    state !== 'failed' && notBefore !== undefined ? Math.max(0, notBefore - now) : [])
  return times.length === 0 ? undefined : Math.min(...times)
}

export function sending (operation: StoredOperation): StoredOperation {
  const { notBefore, error, ...rest } = operation
  return { ...rest, state: 'sending', attempts: operation.attempts + 1, version: operation.version + 1 }
}

/** No answer came: the same is sent again. */
export function unanswered (operation: StoredOperation, notBefore?: number): StoredOperation {
  return { ...operation, state: 'queued', version: operation.version + 1, notBefore: notBefore ?? operation.notBefore }
}

export type Settled =
  | { outcome: 'done' }
  | { outcome: 'later', afterMs: number }
  | { outcome: 'failed', failure: Omit<Failure, 'current'> }

/** What a result says of an operation (R2 to R6 of the protocol). */
export function judge (result: WireResult, operation: StoredOperation): Settled {
  const { success, code = 'INTERNAL', message, retryable = false, retryAfterMs } = result
  if (success) return { outcome: 'done' }
  // What is to be undone is not there.
  if (operation.work.type === 'delete' && code === 'NOT_FOUND') return { outcome: 'done' }
  const waitMs = Math.min(60_000, 1_000 * 2 ** (operation.attempts - 1))
  if (retryable) return { outcome: 'later', afterMs: retryAfterMs ?? waitMs }
  const text = typeof message === 'string' ? message : code
  return { outcome: 'failed', failure: { code, message: text, status: 0, retryable } }
}

/**
 * An edit that is repeated because its answer was lost must not overwrite a newer one of another device: from the
 * second time on it names the rev that it was made of. If that has moved and the text has not, it is sent with the new
 * rev.
 */
export function rebased ({ code, current }: WireResult, operation: StoredOperation): StoredOperation | undefined {
  const { work } = operation
  if (code !== 'CONFLICT' || work.type !== 'edit' || work.expectedRev !== undefined) return undefined
  if (current === undefined || current.message !== work.base?.text) return undefined
  return unanswered({ ...operation, work: { ...work, base: { ...work.base, rev: current.rev } } })
}

function failing (operation: StoredOperation, error: Failure): StoredOperation {
  return { ...operation, state: 'failed', error, version: operation.version + 1 }
}

/**
 * An operation was refused permanently. Later operations on a message that was therefore never stored are folded into
 * it: a retry sends the newest text, and if the message was deleted meanwhile, the failure is not shown.
 */
export function refused (
  operations: readonly StoredOperation[], operation: StoredOperation, error: Failure
): Pick<OutboxChange, 'put' | 'settle'> {
  const failed = failing(operation, error)
  const { work, conversationId } = operation
  const target = targetOf(work) ?? {}
  const since = operations.filter(other =>
    other.position > operation.position && other.conversationId === conversationId && isAbout(other, target))
  const isDeleted = since.some(other => other.work.type === 'delete')
  const isEdited = since.some(other => other.work.type === 'edit')
  // A newer text, or the end of the message, is what counts now.
  if (work.type === 'edit' && (isEdited || isDeleted)) return { put: [], settle: [operation] }
  if (work.type !== 'send') return { put: [failed], settle: [] }
  if (isDeleted) return { put: [], settle: [operation, ...since] }
  const newest = since.findLast(other => other.work.type === 'edit')?.work
  const text = newest?.type === 'edit' ? newest.text : work.text
  return { put: [{ ...failed, work: { ...work, text } }], settle: since }
}

/** The send that this row is the answer to: it may have come live or by a sync before the answer. */
export function sendOf (operations: readonly StoredOperation[], row: Row, userId: string): StoredOperation | undefined {
  if (row.senderId !== userId || row.clientMessageId === undefined) return undefined
  const { conversationId, clientMessageId } = row
  return operations.find(({ conversationId: id, work }) =>
    id === conversationId && work.type === 'send' && work.clientMessageId === clientMessageId)
}

/** The edits that this row shows as done: their answer may be lost, and then they are not sent again. */
export function editsDone (operations: readonly StoredOperation[], row: Row, userId: string): StoredOperation[] {
  if (row.senderId !== userId) return []
  const { id: messageId, clientMessageId } = row
  return operations.filter(operation => {
    const { work, attempts, state } = operation
    if (work.type !== 'edit' || work.base === undefined || attempts === 0 || state === 'failed') return false
    const isDone = row.rev > work.base.rev && row.text === work.text && row.text !== work.base.text
    return isDone && isAbout(operation, { messageId, clientMessageId })
  })
}

/** As it goes over the wire, as JSON: what is undefined is left out. */
export function toWire ({ opId, conversationId, work, attempts }: StoredOperation): object {
  switch (work.type) {
    case 'send': {
      const { clientMessageId, text, messageType, replyTo, mentions, attachments = [], files = [], forwarded } = work
      const carried = [
        ...attachments.map(({ id, name, type, size, ...rest }) => ({ fileId: id, ...rest })),
        ...files.map(({ key, name, type, size, isUploaded, ...rest }) => rest)
      ]
      return {
        opId,
        type: 'send',
        conversationId,
        clientMessageId,
        content: text,
        messageType,
        replyTo: replyTo?.id,
        mentions,
        forwarded,
        attachments: carried.length === 0 ? undefined : carried
      }
    }
    case 'edit': {
      const { target, text, mentions, base } = work
      const expectedRev = work.expectedRev ?? (attempts > 1 ? base?.rev : undefined)
      return {
        opId,
        type: 'edit',
        ...targetToWire(conversationId, target),
        content: text,
        expectedRev,
        mentions
      }
    }
    case 'delete':
    case 'react':
    case 'pin': {
      const { target, ...rest } = work
      return { opId, ...rest, ...targetToWire(conversationId, target) }
    }
    case 'markRead': return { opId, type: 'markRead', conversationId, seq: work.seq }
    case 'settings': {
      const { mutedUntil, ...rest } = work.settings
      const until = typeof mutedUntil === 'number' ? new Date(mutedUntil).toISOString() : mutedUntil
      return { opId, type: 'settings', conversationId, ...rest, mutedUntil: until }
    }
  }
}

function targetToWire (conversationId: string, { messageId, clientMessageId }: Target): object {
  return messageId === undefined ? { conversationId, clientMessageId } : { messageId }
}

/** The server has all of its files. */
export function isUploaded (operation: StoredOperation): boolean {
  return filesOf(operation).every(({ isUploaded }) => isUploaded === true)
}

/** The file that is uploaded next: one after the other, in the order of their messages. */
export function nextUpload (
  operations: readonly StoredOperation[]
): { operation: StoredOperation, file: PendingFile } | undefined {
  const operation = operations.find(one => one.state !== 'failed' && !isUploaded(one))
  const file = operation === undefined ? undefined : filesOf(operation).find(({ isUploaded }) => isUploaded !== true)
  return operation === undefined || file === undefined ? undefined : { operation, file }
}

/** More is known of the upload of a file. */
export function withUpload (
  operation: StoredOperation, key: string, known: Pick<PendingFile, 'fileId' | 'isUploaded'>
): StoredOperation {
  const { work } = operation
  if (work.type !== 'send') return operation
  const files = filesOf(operation).map(file => file.key === key ? { ...file, ...known } : file)
  return { ...operation, version: operation.version + 1, work: { ...work, files } }
}
