import type { ObjectId } from 'mongodb'
import { type Head, type Member, type RowKind, type Seq, seqOf } from '../../log/model/types.ts'

/**
 * What one user may see of a conversation. Whatever shows a change to somebody asks
 * here, live and in every sync, or a client would be told different things by different ways.
 */
export interface View {
  /** Messages up to here are not shown: they are gone, cleared by the user, or from before they joined a room that shows no more. */
  afterSeq: Seq
  /** Messages that the user hid. */
  hiddenSeqs: readonly Seq[]
  /** Senders who are not shown. */
  hidden: ReadonlySet<string>
  /** Whom the user has blocked, shown here or not: they mention nobody. */
  blocked: ReadonlySet<string>
  /**
   * Differs when the view is another one: `showsMore` tells whether what a client holds of the one before is no longer all that
   * it may have. Where it shows less, only the number of unread messages must be told anew.
   */
  generation: number
}

/** What of a membership decides on the view. */
export type JoinInfo = Pick<Member, 'joinedSeq' | 'joinedRev' | 'joinedAt' | 'clearedSeq' | 'hiddenSeqs'>

const nobody: ReadonlySet<string> = new Set()
const nothing: readonly Seq[] = []

/**
 * The view, worked out on plain values.
 * @param member the user's membership; none is needed for the common chat and the own log
 * @param selfHead the head of the user's own log, if there is one
 * @param blocked whom the user has blocked
 * @returns null: the user may see nothing of it, nor that it is there
 */
export function viewOf (head: Head, member: JoinInfo | undefined, selfHead: Head | undefined, blocked: ReadonlySet<string>): View | null {
  if (head.deleted === true) return null
  if (member === undefined && head.kind !== 'common' && head.kind !== 'self') return null
  return {
    afterSeq: afterSeqOf(head, member),
    hiddenSeqs: member?.hiddenSeqs ?? nothing,
    hidden: hidesSenders(head) ? blocked : nobody,
    blocked,
    generation: generationOf(head, member, selfHead)
  }
}

/** The `afterSeq` of `viewOf`, alone. */
export function afterSeqOf ({ history, purgedSeq, closedSeq = seqOf(0) }: Head, member: JoinInfo | undefined): Seq {
  const joined = member?.joinedSeq ?? seqOf(0)
  return seqOf(Math.max(purgedSeq ?? 0, history === 'joined' ? joined : Math.min(joined, closedSeq), member?.clearedSeq ?? 0))
}

/** Does everybody in it see the same messages, whenever they joined? */
export function showsAllAlike ({ history, closedSeq }: Head): boolean {
  return history !== 'joined' && closedSeq === undefined
}

/** The `generation` of `viewOf`, alone. */
export function generationOf (head: Head, member: JoinInfo | undefined, selfHead: Head | undefined): number {
  // Nobody leaves a direct conversation and comes back.
  if (head.kind === 'self' || head.kind === 'direct') return narrowedTo(member, 0) * 2 ** 32
  let hash = mix(0x811c9dc5, head.viewRev ?? 0)
  if (member !== undefined) {
    const joinedAt = member.joinedAt.getTime()
    hash = mix(mix(mix(hash, member.joinedRev), joinedAt >>> 0), Math.floor(joinedAt / 2 ** 32))
  }
  if (!hidesSenders(head)) return hash >>> 0
  hash = mix(hash, selfHead?.viewRev ?? 0)
  // Nothing is unread in the common chat.
  const narrowed = head.kind === 'room' ? narrowedTo(member, selfHead?.blockRev ?? 0) : 0
  return narrowed * 2 ** 32 + (hash >>> 0)
}

/** Differs when the user has cleared, hidden or blocked more: 20 bits. */
function narrowedTo (member: JoinInfo | undefined, blockRev: number): number {
  const { clearedSeq = 0, hiddenSeqs = nothing } = member ?? {}
  return clearedSeq === 0 && hiddenSeqs.length === 0 ? blockRev % 2 ** 20 : mix(mix(mix(0x811c9dc5, blockRev), clearedSeq), hiddenSeqs.length) >>> 12
}

/** May the one of these generations show what the other did not? */
export function showsMore (generation: number, before: number): boolean {
  return generation % 2 ** 32 !== before % 2 ** 32
}

/** A row, as far as it decides on whether it is shown. */
interface Shown {
  kind: RowKind
  seq?: Seq | undefined
  /** As it is, or in hex. */
  senderId?: ObjectId | string | undefined
}

/** Is this row shown? A hidden one still takes its rev. */
export function isShown ({ afterSeq, hidden, hiddenSeqs }: View, { kind, seq, senderId }: Shown): boolean {
  if (kind !== 'message') return true
  return seq! > afterSeq && (hiddenSeqs.length === 0 || !hiddenSeqs.includes(seq!)) && (hidden.size === 0 || !hidden.has(senderId!.toString()))
}

/** Where many talk, the blocked are not shown; between two, blocking ends what is sent instead. */
function hidesSenders ({ kind }: Head): boolean {
  return kind === 'room' || kind === 'common'
}

function mix (hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}
