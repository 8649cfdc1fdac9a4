import type { Failure } from '../values.ts'
import type { Row, SettingsWork, StoredOperation, Target, Work } from './state.ts'
import { isUploaded } from './uploads.ts'
import type { WireResult } from './wire.ts'

/**
 * What waits for the server, in order. An operation stays as it is once it may have reached the server: only what was never
 * sent, or was refused for good, is folded or erased. Breaking this sends two bodies under one id.
 */

/** Operations in one call. */
export const pushMax = 100
/** Characters in one call, about. */
const pushLengthMax = 200_000
/** A clock that was set back must not keep an operation for longer. */
const waitMax = 300_000

export interface OutboxChange {
  add?: Work
  put: StoredOperation[]
  settle: StoredOperation[]
}

const nothing = (): OutboxChange => ({ put: [], settle: [] })

/** The server has nothing of it. */
function isUnsent ({ state, attempts }: StoredOperation): boolean {
  return state !== 'sending' && (attempts === 0 || state === 'failed')
}

export function isAbout (operation: StoredOperation, { messageId, clientMessageId }: Target): boolean {
  const target = targetOf(operation.work)
  if (target === undefined) return false
  return (messageId !== undefined && target.messageId === messageId) || (clientMessageId !== undefined && target.clientMessageId === clientMessageId)
}

export function targetOf (work: Work): Target | undefined {
  switch (work.type) {
    case 'send': return { clientMessageId: work.clientMessageId }
    case 'edit':
    case 'delete':
    case 'react':
    case 'pin': return work.target
    case 'markRead':
    case 'settings': return undefined
  }
}

/** How an outbox takes in a piece of work; what it makes needless is folded. */
export function enqueue (operations: readonly StoredOperation[], conversationId: string, work: Work): OutboxChange {
  const mine = operations.filter(operation => operation.conversationId === conversationId)
  const about = (target: Target) => mine.filter(operation => isAbout(operation, target))
  switch (work.type) {
    case 'send': return mine.some(operation => isAbout(operation, work)) ? nothing() : { ...nothing(), add: work }
    case 'edit': return edit(about(work.target), work)
    case 'delete': return erase(about(work.target), work)
    case 'react': {
      const before = about(work.target).filter(({ work: other }) => other.type === 'react' && other.emoji === work.emoji)
      return { ...nothing(), add: work, settle: before.filter(isUnsent) }
    }
    case 'pin': {
      const before = about(work.target).filter(({ work: other }) => other.type === 'pin')
      return { ...nothing(), add: work, settle: before.filter(isUnsent) }
    }
    case 'markRead': {
      const before = mine.filter(({ work: other }) => other.type === 'markRead')
      const isTold = before.some(({ work: other, state }) =>
        state !== 'failed' && other.type === 'markRead' && other.seq >= work.seq)
      if (isTold) return nothing()
      return { ...nothing(), add: work, settle: before.filter(isUnsent) }
    }
    case 'settings': {
      const before = mine.filter(operation => operation.work.type === 'settings' && isUnsent(operation))
      // What was refused is not tried again with it.
      const waiting = before.flatMap(({ work: other, state }) =>
        other.type === 'settings' && state !== 'failed' ? other.settings : [])
      return { ...nothing(), add: { ...work, settings: merged([...waiting, work.settings]) }, settle: before }
    }
  }
}

function merged (all: readonly SettingsWork[]): SettingsWork {
  const { clearThroughSeq, hideSeqs, ...rest }: SettingsWork = Object.assign({}, ...all)
  const cleared = Math.max(0, ...all.map(({ clearThroughSeq = 0 }) => clearThroughSeq))
  const hidden = new Set(all.flatMap(({ hideSeqs = [] }) => hideSeqs).filter(seq => seq > cleared))
  return {
    ...rest,
    ...(cleared === 0 ? {} : { clearThroughSeq: cleared }),
    ...(hidden.size === 0 ? {} : { hideSeqs: [...hidden] })
  }
}

/** A message, or one operation. */
export type Subject = Target | { position: number }

/** The operations of a message; of one that sends a message: all of that message; else the one. */
export function concerned (operations: readonly StoredOperation[], given: Subject): StoredOperation[] {
  if (!('position' in given)) return operations.filter(operation => isAbout(operation, given))
  const one = operations.find(({ position }) => position === given.position)
  if (one?.work.type === 'send') return concerned(operations, targetOf(one.work)!)
  return one === undefined ? [] : [one]
}

/** Gives up what waits or has failed. A send that may have reached the server is deleted instead. */
export function cancel (operations: readonly StoredOperation[], conversationId: string, given: Subject): OutboxChange {
  const about = concerned(operations, given).filter(({ state }) => state !== 'sending')
  const send = about.find(({ work }) => work.type === 'send')
  if (send !== undefined && !isUnsent(send)) {
    return enqueue(operations, conversationId, { type: 'delete', target: targetOf(send.work)! })
  }
  const isOne = 'position' in given
  return { ...nothing(), settle: send === undefined ? about.filter(operation => isEndable(operation, isOne)) : about }
}

function isEndable ({ state, attempts, work }: StoredOperation, isOne: boolean): boolean {
  return state === 'failed' || work.type === 'edit' || work.type === 'delete' || (isOne && attempts === 0)
}

function edit (about: readonly StoredOperation[], work: Extract<Work, { type: 'edit' }>): OutboxChange {
  const send = about.find(operation => operation.work.type === 'send')
  if (send !== undefined && isUnsent(send) && send.work.type === 'send') {
    const { mentions = send.work.mentions } = work
    return { ...nothing(), put: [again({ ...send, work: { ...send.work, text: work.text, mentions } })] }
  }
  if (isBeingDeleted(about)) return nothing()
  // The newest text counts; what the first of them expected still holds.
  const before = about.filter(operation => operation.work.type === 'edit' && isUnsent(operation))
  const [first] = before
  const base = first?.work.type === 'edit' ? first.work.base : work.base
  return { ...nothing(), add: { ...work, base }, settle: before }
}

function isBeingDeleted (about: readonly StoredOperation[]): boolean {
  return about.some(({ work, state }) => work.type === 'delete' && state !== 'failed')
}

function erase (about: readonly StoredOperation[], work: Extract<Work, { type: 'delete' }>): OutboxChange {
  const send = about.find(operation => operation.work.type === 'send')
  if (send !== undefined && isUnsent(send)) return { ...nothing(), settle: [...about] }
  if (isBeingDeleted(about)) return nothing()
  return { ...nothing(), add: work, settle: about.filter(isUnsent) }
}

/** To be sent again as soon as that is possible; over what somebody else wrote, if the user has seen that. */
export function again (operation: StoredOperation): StoredOperation {
  const { error, notBefore, ...rest } = operation
  return { ...rest, work: workAgain(rest.work, error), state: 'queued', version: operation.version + 1 }
}

function workAgain (work: Work, error: Failure | undefined): Work {
  if (work.type === 'edit' && error?.code === 'CONFLICT') return { ...work, expectedRev: undefined, base: undefined }
  // The server may have forgotten them meanwhile: it is asked.
  if (work.type === 'send' && work.files !== undefined) {
    return { ...work, files: work.files.map(file => ({ ...file, isUploaded: false })) }
  }
  return work
}

/**
 * What is sent next, in one call. In a conversation one send at a time: a second one could overtake a first that is refused
 * for a moment. What failed for good, or waits for its files, holds up only what is about the same message.
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
    if (isHeld || (target !== undefined && held.some(other => other.conversationId === id && isAbout(other, target)))) continue
    if (!isReady(operation, now)) {
      closed.add(id)
      continue
    }
    length += JSON.stringify(work).length
    if (chosen.length > 0 && length > pushLengthMax) break
    chosen.push(operation)
    if (chosen.length === pushMax) break
    if (work.type === 'send' && chosen.some(other => other !== operation && other.conversationId === id && other.work.type === 'send')) {
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
  const times = operations.flatMap(({ state, notBefore }) => state !== 'failed' && notBefore !== undefined ? Math.max(0, notBefore - now) : [])
  return times.length === 0 ? undefined : Math.min(...times)
}

export function sending (operation: StoredOperation): StoredOperation {
  const { notBefore, error, ...rest } = operation
  return { ...rest, state: 'sending', attempts: operation.attempts + 1, version: operation.version + 1 }
}

/** No answer came: the same is sent again. */
export function unanswered (operation: StoredOperation, notBefore?: number): StoredOperation {
  return { ...operation, state: 'queued', version: operation.version + 1, ...(notBefore === undefined ? {} : { notBefore }) }
}

export type Settled = { outcome: 'done' } | { outcome: 'later', afterMs: number } | { outcome: 'failed', failure: Omit<Failure, 'current'> }

/** What a result says of an operation (R2 to R6 of the protocol). */
export function judge (result: WireResult, operation: StoredOperation): Settled {
  const { success, code = 'INTERNAL', message, retryable = false, retryAfterMs } = result
  if (success) return { outcome: 'done' }
  // What is to be undone is not there.
  if (operation.work.type === 'delete' && code === 'NOT_FOUND') return { outcome: 'done' }
  if (retryable) return { outcome: 'later', afterMs: retryAfterMs ?? Math.min(60_000, 1_000 * 2 ** Math.min(operation.attempts - 1, 6)) }
  return { outcome: 'failed', failure: { code, message: typeof message === 'string' ? message : code, status: 0, retryable } }
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
 * An operation was refused for good. What was done since to a message that is not there now is folded into it: a newer text is the
 * one that a retry sends, and one that was deleted meanwhile is not missed.
 */
export function refused (operations: readonly StoredOperation[], operation: StoredOperation, error: Failure): Pick<OutboxChange, 'put' | 'settle'> {
  const failed = failing(operation, error)
  const { work, conversationId } = operation
  const target = targetOf(work) ?? {}
  const since = operations.filter(other => other.position > operation.position && other.conversationId === conversationId && isAbout(other, target))
  // A newer text, or the end of the message, is what counts now.
  if (work.type === 'edit' && since.some(other => other.work.type === 'edit' || other.work.type === 'delete')) return { put: [], settle: [operation] }
  if (work.type !== 'send') return { put: [failed], settle: [] }
  if (since.some(other => other.work.type === 'delete')) return { put: [], settle: [operation, ...since] }
  const newest = since.findLast(other => other.work.type === 'edit')?.work
  const text = newest?.type === 'edit' ? newest.text : work.text
  return { put: [{ ...failed, work: { ...work, text } }], settle: since }
}

/** The send that this row is the answer to: it may have come live or by a sync before the answer. */
export function sendOf (operations: readonly StoredOperation[], row: Row, userId: string): StoredOperation | undefined {
  if (row.senderId !== userId || row.clientMessageId === undefined) return undefined
  const { conversationId, clientMessageId } = row
  return operations.find(operation =>
    operation.conversationId === conversationId && operation.work.type === 'send' && operation.work.clientMessageId === clientMessageId)
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

/** As it goes over the wire. */
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
        ...(messageType === undefined ? {} : { messageType }),
        ...(replyTo === undefined ? {} : { replyTo: replyTo.id }),
        ...(mentions === undefined ? {} : { mentions }),
        ...(forwarded === undefined ? {} : { forwarded }),
        ...(carried.length === 0 ? {} : { attachments: carried })
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
        ...(expectedRev === undefined ? {} : { expectedRev }),
        ...(mentions === undefined ? {} : { mentions })
      }
    }
    case 'delete': return { opId, type: 'delete', ...targetToWire(conversationId, work.target) }
    case 'react': return { opId, type: 'react', ...targetToWire(conversationId, work.target), emoji: work.emoji, on: work.on }
    case 'pin': return { opId, type: 'pin', ...targetToWire(conversationId, work.target), on: work.on }
    case 'markRead': return { opId, type: 'markRead', conversationId, seq: work.seq }
    case 'settings': {
      const { mutedUntil, ...rest } = work.settings
      return { opId, type: 'settings', conversationId, ...rest, ...(mutedUntil === undefined ? {} : { mutedUntil: mutedUntil === null ? null : new Date(mutedUntil).toISOString() }) }
    }
  }
}

function targetToWire (conversationId: string, { messageId, clientMessageId }: Target): object {
  return messageId === undefined ? { conversationId, clientMessageId } : { messageId }
}
