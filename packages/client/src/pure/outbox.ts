import type { Failure } from '../values.ts'
import type { PendingFile, SettingsWork, StoredOperation, Target, Work } from './state.ts'

/**
 * What waits for the server, in order. An operation stays as it is once it may have reached the server: only one that
 * was never sent, or was refused permanently, is folded or erased. Breaking this sends two bodies under one id.
 */

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

/** The files that go with an operation. */
export function filesOf ({ work }: StoredOperation): readonly PendingFile[] {
  return work.type === 'send' ? work.files ?? [] : []
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
  return { ...rest, clearThroughSeq: cleared || undefined, hideSeqs: hidden.size === 0 ? undefined : [...hidden] }
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
