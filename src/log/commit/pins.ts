import type { LogRow, Head, Pin } from '../model/types.ts'
import { stateRowId } from '../model/types.ts'
import type { Draft } from './draft.ts'
import { put } from './state-row.ts'

/** The pins of a conversation in a draft. */
export function pinsIn (conversationId: string, draft: Draft): readonly Pin[] {
  return draft.row(stateRowId(conversationId, 'pins', '').toHexString())?.pins ?? []
}

/** Sets the pins of the conversation; undefined if they are so already. */
export function setPins (head: Head, pins: readonly Pin[], draft: Draft, now: number): LogRow | undefined {
  if (head.pinsRev === undefined && pins.length === 0) return undefined
  const done = put(head, 'pins', '', { pins }, draft, now)
  if (done !== undefined) draft.moveHead(head._id, { ...done.head, pinsRev: done.row.rev })
  return done?.row
}

/** Ends the pins that are not to be kept, after a change that moved the head. */
export function endPins (conversationId: string, keep: (pin: Pin) => boolean, draft: Draft, now: number): void {
  const head = draft.head(conversationId)
  if (head?.pinsRev !== undefined) setPins(head, pinsIn(conversationId, draft).filter(keep), draft, now)
}
