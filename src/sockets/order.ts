import type { FastifyBaseLogger } from 'fastify'
import { type Rev, revOf } from '../log/model/types.ts'
import type { Positions } from './positions.ts'

/** Milliseconds for which a change waits for those before it that may be on their way from other nodes. */
const holdMs = 150
/** Milliseconds between two tries to read what is missing. */
const retryMs = 1_000
/** Longest hole that is filled, in revs: across a longer one clients sync. */
const fillMax = 500
/** What waits in all conversations together. */
const heldMax = 10_000

export type Send = () => void | Promise<void>

/** Calls back once after so many milliseconds; returns the way to stop. */
export type Schedule = (act: () => void, ms: number) => () => void

export const schedule: Schedule = (act, ms) => {
  const timer = setTimeout(act, ms)
  timer.unref()
  return () => { clearTimeout(timer) }
}

/** What was found in a hole. */
export interface Found {
  /** How to send each rev of it. Undefined: it cannot be filled any more. */
  sends: Map<Rev, Send> | undefined
  /** Somebody's membership may have changed in it, and who follows the conversation was compared with who may. */
  isChecked: boolean
}

/** What the order asks for at a hole. */
export interface Hole {
  /** Does anything of the conversation go to a socket of this process? */
  isFollowed: (conversationId: string) => boolean
  /** Does it change who gets what of it, so that something unseen may have changed that? */
  isRestricted: (conversationId: string) => boolean
  /** Reads the rows behind `after` up to `to`. */
  read: (conversationId: string, after: Rev, to: Rev) => Promise<Found>
  /** Compares who follows the conversation with who may now. */
  check: (conversationId: string) => Promise<void>
}

/** What stands around it. */
export interface OrderEnds {
  hole: Hole
  /** Sends, behind what was passed on before of the same conversation. */
  pass: (conversationId: string, send: Send) => void
  /** Ends what was passed on together. */
  flush: () => void
}

export interface OrderOptions {
  positions: Positions
  log: FastifyBaseLogger
  /** Nobody else writes to the database. */
  isAlone: boolean
  /** Do other nodes tell of what they commit? */
  hearsOthers: () => boolean
  later?: Schedule
}

/** What cannot be sent yet of one conversation. */
interface Held {
  changes: Map<Rev, Send>
  /** Those of them that tell of a membership: what is read of it since is newer. */
  memberships: Set<Rev>
  /** What is no change, with the rev that it must not come before. */
  others: Array<{ rev: Rev, send: Send }>
  /** Checks that were asked for. */
  doubts: number
  isClosing: boolean
  /** Ends the waiting, if it has begun. */
  stop: (() => void) | undefined
}

/**
 * Sends what is committed, here and elsewhere, in the order of its revs and without holes. Commits of other nodes come late,
 * twice, in any order or not at all; one that is missing may be a removal, and what comes after it must not reach who was
 * removed. So what comes behind a hole waits for a moment, then the hole is filled from the database, and where that cannot be,
 * everybody's membership is looked up again before anything else is sent. Where nothing is missing it costs one look into a map.
 */
export class Order {
  private readonly options: OrderOptions
  private ends: OrderEnds = nowhere
  private readonly held = new Map<string, Held>()
  /** Changes and others in `held`. */
  private count = 0
  private readonly later: Schedule

  constructor (options: OrderOptions) {
    this.options = options
    this.later = options.later ?? schedule
  }

  start (ends: OrderEnds): void {
    this.ends = ends
  }

  /** Takes a change at its rev. False: it has been sent, or what it said has been looked up since; it is dropped. */
  take (conversationId: string, rev: Rev, send: Send, isMembership = false): boolean {
    const { positions, isAlone } = this.options
    const position = positions.of(conversationId)
    const held = this.heldOf(conversationId)
    if (held === undefined && (position === undefined ? isAlone : position.rev === rev - 1)) {
      if (position === undefined) positions.set(conversationId, rev)
      else position.rev = rev
      this.ends.pass(conversationId, send)
      return true
    }
    if (position?.rev !== undefined && rev <= position.rev) return false
    if (held === undefined && this.isIdle(conversationId, position?.rev)) {
      positions.checked(conversationId, rev)
      this.ends.pass(conversationId, send)
    } else {
      this.hold(conversationId, held, held => {
        held.changes.set(rev, send)
        if (isMembership) held.memberships.add(rev)
      })
    }
    return true
  }

  /** Takes what is no change itself but must not come before the change of this rev. */
  takeAt (conversationId: string, rev: Rev, send: Send): void {
    const { positions, isAlone } = this.options
    const position = positions.of(conversationId)
    if (position === undefined ? isAlone : position.rev !== undefined && position.rev >= rev) return this.ends.pass(conversationId, send)
    const held = this.heldOf(conversationId)
    if (held === undefined && this.isIdle(conversationId, position?.rev)) {
      // Where somebody follows, the change of this rev may still be on its way, and must not pass for sent.
      if (!this.ends.hole.isFollowed(conversationId)) positions.checked(conversationId, rev)
      this.ends.pass(conversationId, send)
    } else this.hold(conversationId, held, held => { held.others.push({ rev, send }) })
  }

  /** Something of these may pass unseen: a commit whose end is not known. */
  doubt (conversationIds: readonly string[]): void {
    const { positions } = this.options
    // Where a rev is known, one that is left out shows.
    for (const id of conversationIds) if (positions.of(id) === undefined) positions.set(id, undefined)
  }

  /** Compares who follows a conversation with who may, as soon as that can be. */
  check (conversationId: string): void {
    if (this.ends.hole.isFollowed(conversationId)) this.hold(conversationId, this.heldOf(conversationId), held => { held.doubts++ }, true)
  }

  /** So much waits that nothing should be added that can come later. */
  get isBusy (): boolean {
    return this.count > heldMax / 2
  }

  /** Nothing waits. */
  get isEmpty (): boolean {
    return this.held.size === 0 && this.count === 0
  }

  stop (): void {
    for (const held of this.held.values()) held.stop?.()
    this.held.clear()
  }

  private heldOf (conversationId: string): Held | undefined {
    return this.held.size === 0 ? undefined : this.held.get(conversationId)
  }

  /** Is there nobody whom a hole could hurt? What somebody has read meanwhile of a membership does not count any more. */
  private isIdle (conversationId: string, rev: Rev | undefined): boolean {
    const { hole } = this.ends
    return (rev === undefined && !hole.isRestricted(conversationId)) || !hole.isFollowed(conversationId)
  }

  private hold (conversationId: string, before: Held | undefined, add: (held: Held) => void, isUrgent = false): void {
    if (this.count >= heldMax) return this.giveUp(conversationId)
    const held: Held = before ?? { changes: new Map(), memberships: new Set(), others: [], doubts: 0, isClosing: false, stop: undefined }
    this.held.set(conversationId, held)
    this.counting(held, () => { add(held) })
    if (isUrgent && !held.isClosing) {
      held.stop?.()
      void this.close(conversationId, held)
    } else if (!held.isClosing) this.drain(conversationId, held)
  }

  /** Memory is bounded: nothing is known of the conversation any more, and the next change begins with a check. */
  private giveUp (conversationId: string): void {
    const held = this.held.get(conversationId)
    this.options.positions.set(conversationId, undefined)
    if (held === undefined) return
    held.stop?.()
    this.held.delete(conversationId)
    this.count -= sizeOf(held)
  }

  /** Sends what has nothing missing before it, and waits for the rest. */
  private drain (conversationId: string, held: Held, hasMoved = false): void {
    const { positions, hearsOthers } = this.options
    const position = positions.of(conversationId)
    this.counting(held, () => {
      if (position?.rev === undefined) return
      for (let next = revOf(position.rev + 1), send = held.changes.get(next); send !== undefined; next = revOf(next + 1), send = held.changes.get(next)) {
        position.rev = next
        hasMoved = true
        held.changes.delete(next)
        this.ends.pass(conversationId, send)
      }
      // A long line is not gone through for each that joins it.
      if (!hasMoved) return
      for (const rev of held.changes.keys()) if (rev <= position.rev) held.changes.delete(rev)
      const { rev: reached } = position
      for (const { rev, send } of held.others) if (rev <= reached) this.ends.pass(conversationId, send)
      held.others = held.others.filter(({ rev }) => rev > reached)
    })
    if (sizeOf(held) === 0 && held.doubts === 0) {
      held.stop?.()
      this.held.delete(conversationId)
    } else if (position?.rev === undefined || !hearsOthers()) {
      held.stop?.()
      void this.close(conversationId, held)
    } else held.stop ??= this.later(() => { void this.close(conversationId, held) }, holdMs)
  }

  /** Fills what is missing, or makes sure that it does not matter; tries until it can. */
  private async close (conversationId: string, held: Held): Promise<void> {
    held.isClosing = true
    held.stop = undefined
    try {
      await this.fill(conversationId, held)
    } catch (error) {
      this.options.log.warn({ err: error, conversationId }, 'changes that were not heard of could not be read')
      held.isClosing = false
      if (this.held.get(conversationId) === held) held.stop = this.later(() => { void this.close(conversationId, held) }, retryMs)
      return
    }
    held.isClosing = false
    if (this.held.get(conversationId) !== held) return
    this.drain(conversationId, held, true)
    this.ends.flush()
  }

  private async fill (conversationId: string, held: Held): Promise<void> {
    const { positions } = this.options
    const { hole } = this.ends
    const after = positions.of(conversationId)?.rev
    const to = Math.max(after ?? 0, ...held.changes.keys(), ...held.others.map(({ rev }) => rev))
    const { doubts } = held
    const found = after === undefined || to === after || to - after > fillMax ? undefined : await hole.read(conversationId, after, revOf(to))
    const mustCheck = doubts > 0 || (found?.sends === undefined && to !== after)
    if (mustCheck && found?.isChecked !== true) await hole.check(conversationId)
    if (this.held.get(conversationId) !== held) return
    held.doubts -= doubts
    if (after === undefined && held.changes.size === 0) {
      // Who follows is who may. Changes up to there may still be on their way: none of them passes for sent.
      positions.checked(conversationId, undefined)
      const { others } = held
      this.counting(held, () => { held.others = [] })
      for (const { send } of others) this.ends.pass(conversationId, send)
      return
    }
    const sends = found?.sends
    const rev = sends !== undefined || to === after ? after : sizeOf(held) === 0 ? undefined : lowest(held)
    if (mustCheck || found?.isChecked === true) positions.checked(conversationId, rev)
    else positions.set(conversationId, rev)
    // What was heard is as good, but of a membership: its member may have gone and come back by now, unheard.
    if (sends !== undefined) this.counting(held, () => { for (const [rev, send] of sends) if (held.memberships.delete(rev) || !held.changes.has(rev)) held.changes.set(rev, send) })
  }

  private counting (held: Held, change: () => void): void {
    const before = sizeOf(held)
    change()
    this.count += sizeOf(held) - before
  }
}

/** Nothing is sent before it is known how. */
const nowhere: OrderEnds = {
  hole: { isFollowed: () => false, isRestricted: () => false, read: async () => ({ sends: undefined, isChecked: false }), check: async () => {} },
  pass: () => {},
  flush: () => {}
}

function sizeOf ({ changes, others }: Held): number {
  return changes.size + others.length
}

/** Where to go on when what is missing before is given up. */
function lowest ({ changes, others }: Held): Rev {
  return revOf(changes.size > 0 ? Math.min(...changes.keys()) - 1 : Math.max(...others.map(({ rev }) => rev)))
}
