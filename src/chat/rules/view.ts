import type { ObjectId } from 'mongodb'
import { type Head, type Member, type RowKind, type Seq, seqOf } from '../../log/model/types.ts'

/**
 * One user's view of a conversation. Live delivery and every sync check it before they show a change, so that a client
 * gets the same from each of them.
 */
export interface View {
  /**
   * Messages up to this seq are hidden: purged, cleared by the user, or from before they joined a room that hides its
   * history.
   */
  afterSeq: Seq
  /** Messages that the user has hidden. */
  hiddenSeqs: readonly Seq[]
  /** Senders whose messages are hidden. */
  hidden: ReadonlySet<string>
  /** Users whom the viewer has blocked, even if their messages are visible here: their mentions do not count. */
  blocked: ReadonlySet<string>
  /** Stands for the users in `blocked`: rev of the last change of the viewer's blocks. */
  blockRev: number
  /**
   * Changes with the view. `showsMore` says whether the view was widened, so that a client lacks messages which it may
   * now see. If the view was narrowed, only the number of unread messages must be sent again.
   */
  generation: number
}

/** The fields of a membership that decide the view. */
export type JoinInfo = Pick<Member, 'joinedSeq' | 'joinedRev' | 'joinedAt' | 'clearedSeq' | 'hiddenSeqs'>

const nobody: ReadonlySet<string> = new Set()
const nothing: readonly Seq[] = []

/**
 * Computes the view from plain values.
 * @param member the user's membership; not needed for the common chat and the self log
 * @param selfHead the head of the user's self log, if there is one
 * @param blocked users whom the user has blocked
 * @returns null: the user must not learn that the conversation exists
 */
export function viewOf (
  head: Head, member: JoinInfo | undefined, selfHead: Head | undefined, blocked: ReadonlySet<string>
): View | null {
  if (head.deleted === true) return null
  if (member === undefined && head.kind !== 'common' && head.kind !== 'self') return null
  return {
    afterSeq: afterSeqOf(head, member),
    hiddenSeqs: member?.hiddenSeqs ?? nothing,
    hidden: hidesSenders(head) ? blocked : nobody,
    blocked,
    blockRev: selfHead?.blockRev ?? 0,
    generation: generationOf(head, member, selfHead)
  }
}

/**
 * The state that a count of the viewer's unread messages depends on, apart from the messages themselves.
 * @param except the senders whose messages do not count: `hidden` or `blocked`
 */
export function countBasisOf (
  { afterSeq, hiddenSeqs, blockRev }: View, readSeq: number, except: ReadonlySet<string>
): CountBasis {
  const after = seqOf(Math.max(readSeq, afterSeq))
  const hidden = hiddenSeqs.length === 0 ? 0 : hiddenSeqs.reduce((count, seq) => seq > after ? count + 1 : count, 0)
  return { after, hidden, blockRev: except.size === 0 ? 0 : blockRev }
}

export interface CountBasis {
  /** Messages up to this seq do not count. */
  after: Seq
  /** How many later ones the viewer has hidden: they can hide more, and never fewer. */
  hidden: number
  /** Stands for the senders whose messages do not count. 0: there are none. */
  blockRev: number
}

export function isSameBasis (a: CountBasis, b: CountBasis): boolean {
  return a.after === b.after && a.hidden === b.hidden && a.blockRev === b.blockRev
}

/** The `afterSeq` of `viewOf`, alone. */
export function afterSeqOf ({ history, purgedSeq, closedSeq = seqOf(0) }: Head, member: JoinInfo | undefined): Seq {
  const joined = member?.joinedSeq ?? seqOf(0)
  return seqOf(
    Math.max(purgedSeq ?? 0, history === 'joined' ? joined : Math.min(joined, closedSeq), member?.clearedSeq ?? 0)
  )
}

/** Do all its members see the same messages, whenever they joined? */
export function showsAllAlike ({ history, closedSeq }: Head): boolean {
  return history !== 'joined' && closedSeq === undefined
}

/** The `generation` of `viewOf`, alone. */
export function generationOf (head: Head, member: JoinInfo | undefined, selfHead: Head | undefined): number {
  // A membership of a direct conversation never ends.
  if (head.kind === 'self' || head.kind === 'direct') return narrowedTo(member, 0) * 2 ** 32
  let hash = mix(0x811c9dc5, head.viewRev ?? 0)
  if (member !== undefined) {
    const joinedAt = member.joinedAt.getTime()
    hash = mix(mix(mix(hash, member.joinedRev), joinedAt >>> 0), Math.floor(joinedAt / 2 ** 32))
  }
  if (!hidesSenders(head)) return hash >>> 0
  hash = mix(hash, selfHead?.viewRev ?? 0)
  // The common chat counts no unread messages.
  const narrowed = head.kind === 'room' ? narrowedTo(member, selfHead?.blockRev ?? 0) : 0
  return narrowed * 2 ** 32 + (hash >>> 0)
}

/** Changes when the user clears, hides or blocks more: 20 bits. */
function narrowedTo (member: JoinInfo | undefined, blockRev: number): number {
  const { clearedSeq = 0, hiddenSeqs = nothing } = member ?? {}
  return clearedSeq === 0 && hiddenSeqs.length === 0
    ? blockRev % 2 ** 20
    : mix(mix(mix(0x811c9dc5, blockRev), clearedSeq), hiddenSeqs.length) >>> 12
}

/** May the view of the first generation show messages that the other hid? */
export function showsMore (generation: number, before: number): boolean {
  return generation % 2 ** 32 !== before % 2 ** 32
}

/** The fields of a row that decide whether it is visible. */
interface Shown {
  kind: RowKind
  seq?: Seq | undefined
  /** An ObjectId, or its hex. */
  senderId?: ObjectId | string | undefined
}

/** Is this row visible? A hidden row still takes its rev. */
export function isShown ({ afterSeq, hidden, hiddenSeqs }: View, { kind, seq, senderId }: Shown): boolean {
  if (kind !== 'message') return true
  return (
    seq! > afterSeq &&
    (hiddenSeqs.length === 0 || !hiddenSeqs.includes(seq!)) &&
    (hidden.size === 0 || !hidden.has(senderId!.toString()))
  )
}

/**
 * Rooms and the common chat hide messages of blocked users. In a direct conversation a block refuses new messages
 * instead.
 */
function hidesSenders ({ kind }: Head): boolean {
  return kind === 'room' || kind === 'common'
}

function mix (hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}
