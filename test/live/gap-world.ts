import fc from 'fast-check'
import type { AfterEvent, Delivery, GapFill, RevDelivery } from '../../src/live/delivery.ts'
import {
  type Event, type Job, type State, hasPending, newState, pendingCount, type resequence
} from '../../src/live/resequencer.ts'
import { type LogRow, type Rev, revOf } from '../../src/log/model/types.ts'

/**
 * One conversation with three members who may be removed and a fourth who stays, all of them subscribers of one node,
 * which hears of commits as the script says. `breaches` returns what a resequencer breaks of what it promises.
 */

export type Op =
  /** A commit. `removes`: the user it removes. `moved`: its row has moved on, and is found by no read. */
  | { op: 'commit', removes: number | null, moved: boolean, heard: 'now' | 'twice' | 'late' | 'never' }
  /** What came late comes now. */
  | { op: 'late', index: number }
  /** Something that must not come before the last commit. */
  | { op: 'after' }
  | { op: 'request' }
  /** A timer fires, or a job goes a stage further. */
  | { op: 'tick', fails: boolean, index: number }

export interface Script {
  isSoleWriter: boolean
  isClustered: boolean
  /** Nobody can be removed, and the subscribers know that they begin before the first commit. */
  isOpen: boolean
  pendingMax: number
  ops: Op[]
}

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('commit' as const),
      removes: fc.constantFrom(null, null, null, 0, 1, 2),
      moved: fc.constantFrom(false, false, false, true),
      heard: fc.constantFrom('now' as const, 'now' as const, 'twice' as const, 'late' as const, 'never' as const)
    })
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('late' as const), index: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('after' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('request' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('tick' as const), fails: fc.constantFrom(false, false, false, true), index: fc.nat(1)
    })
  }
)

export const script: fc.Arbitrary<Script> = fc.record({
  isSoleWriter: fc.boolean(),
  isClustered: fc.boolean(),
  isOpen: fc.boolean(),
  pendingMax: fc.constantFrom(4, 1_000, 1_000),
  ops: fc.array(op, { maxLength: 40 })
})

export const row = (rev: number, fields: Partial<LogRow> = {}): RevDelivery => ({
  rev: revOf(rev),
  kind: 'row',
  row: { rev: revOf(rev), kind: 'message', ...fields } as LogRow,
  isNew: true,
  head: undefined,
  member: undefined
})
export const noop = (rev: number): RevDelivery => ({ rev: revOf(rev), kind: 'noop' })
const head: AfterEvent = { name: 'head' }
export const after = (rev: number): Delivery => ({ rev: revOf(rev), kind: 'after', event: head })
const notice = { conversationId: 'room', userId: 'somebody', on: true }
export const typing = (rev: number): Delivery => (
  { rev: revOf(rev), kind: 'after', event: { name: 'typing', notice: { ...notice, rev: revOf(rev) } } }
)

interface Commit { delivery: RevDelivery, removes: number | null, moved: boolean }

export function breaches (script: Script, step: typeof resequence): string[] {
  return new GapWorld(script, step).run()
}

class GapWorld {
  private readonly script: Script
  private readonly step: typeof resequence
  private readonly broken = new Set<string>()
  /** By rev - 1. */
  private readonly commits: Commit[] = []
  private readonly late: Delivery[] = []
  private readonly subscribers = new Set(['0', '1', '2', 'stays'])
  private state: State = newState
  private timer = false
  /** Jobs, of which only the last is still wanted. */
  private readonly running: Array<{ job: Job, stages: Array<() => Event> }> = []
  private heard = 0
  private sent = 0
  private afters = { heard: 0, sent: 0 }
  private hasDropped = false
  /** The head that subscribers were told last. */
  private told: Rev | undefined

  constructor (script: Script, step: typeof resequence) {
    this.script = script
    this.step = step
  }

  run (): string[] {
    if (this.script.isOpen && !this.script.isSoleWriter) this.told = revOf(0)
    for (const op of this.script.ops) this.take(op)
    for (const delivery of this.late.splice(0)) this.accept(delivery)
    for (let ticks = 0; this.timer || this.running.length > 0; ticks++) {
      if (ticks > 200) return ['it never comes to rest']
      this.tick({ fails: false, index: 0 })
    }
    if (hasPending(this.state)) this.broken.add('something is kept for ever')
    if (!this.hasDropped) {
      if (Math.max(this.sent, this.told ?? 0) < this.heard) this.broken.add('I7: the last revs are missing')
      if (this.afters.sent !== this.afters.heard) this.broken.add('an event is lost or doubled')
    }
    return [...this.broken]
  }

  private take (op: Op): void {
    switch (op.op) {
      case 'commit': return this.commit(op)
      case 'late': {
        const [delivery] = this.late.splice(op.index, 1)
        return delivery === undefined ? undefined : this.accept(delivery)
      }
      case 'after':
        this.afters.heard++
        return this.accept(after(this.commits.length))
      case 'request': return this.accept({ kind: 'verificationRequested' })
      case 'tick': return this.tick(op)
    }
  }

  private commit ({ removes: removed, moved, heard }: Op & { op: 'commit' }): void {
    const removes = this.script.isOpen ? null : removed
    const delivery = row(this.commits.length + 1, removes === null ? {} : { kind: 'membership' })
    this.commits.push({ delivery, removes, moved })
    // What a sole writer commits is told in order and once, or the outcome is unknown.
    if (!this.script.isSoleWriter) {
      if (heard === 'late') this.late.push(delivery)
      else if (heard !== 'never') for (let times = heard === 'twice' ? 2 : 1; times > 0; times--) this.accept(delivery)
      return
    }
    if (heard === 'late' || heard === 'never') this.accept({ kind: 'unknownOutcome' })
    if (heard !== 'never') this.accept(delivery)
  }

  private tick ({ fails, index }: { fails: boolean, index: number }): void {
    if (this.timer) {
      this.timer = false
      return this.accept({ kind: 'timer' })
    }
    const running = this.running[index] ?? this.running[0]
    if (running === undefined) return
    if (!fails && running.stages.length > 1) {
      running.stages.shift()!()
      return
    }
    this.running.splice(this.running.indexOf(running), 1)
    this.accept(fails ? { kind: 'failed', job: running.job } : running.stages[0]!())
  }

  /** The jobs of a gap source: what is read at one moment is applied at a later one. */
  private begin (job: Job): void {
    let removed: string[] = []
    let fill: GapFill
    const verify = (): Event => {
      removed = this.removedUpTo(this.commits.length)
      return { kind: 'verified', job }
    }
    const apply = (result: () => Event) => () => {
      for (const user of removed) this.subscribers.delete(user)
      return result()
    }
    if (job.do === 'verify') {
      this.running.push({ job, stages: [verify, apply(() => ({ kind: 'verified', job }))] })
      return
    }
    const read = (): Event => {
      const deliveries = new Map<Rev, RevDelivery>()
      let isVerified = false
      for (let rev = job.after + 1; rev <= job.to; rev++) {
        const { delivery, removes, moved } = this.commits[rev - 1]!
        deliveries.set(revOf(rev), moved ? noop(rev) : delivery)
        isVerified ||= moved || removes !== null
      }
      fill = { deliveries, isVerified }
      return { kind: 'filled', job, fill }
    }
    const verifyIfNeeded = () => fill.isVerified ? verify() : read()
    this.running.push({ job, stages: [read, verifyIfNeeded, apply(() => ({ kind: 'filled', job, fill }))] })
  }

  private removedUpTo (rev: number): string[] {
    return this.commits.slice(0, rev).flatMap(({ removes }) => removes === null ? [] : [String(removes)])
  }

  private accept (event: Event): void {
    const { isSoleWriter, isClustered, isOpen, pendingMax } = this.script
    const before = 'rev' in this.state ? this.state.rev : undefined
    if (event.kind === 'row') this.heard = Math.max(this.heard, event.rev)
    const isFull = pendingCount(this.state) >= pendingMax
    const { state, actions } = this.step(this.state, event, () => ({
      isSoleWriter,
      isClustered: isClustered && !isSoleWriter,
      hasSubscribers: true,
      dependsOnMembership: !isOpen,
      toldRev: isOpen ? this.told : undefined,
      isFull
    }))
    if (isFull && !hasPending(state)) {
      this.hasDropped = true
      this.told = undefined
    }
    this.state = state
    if (state.name !== 'waiting') this.timer = false
    let next = before
    for (const action of actions) {
      switch (action.do) {
        case 'wait':
          this.timer = true
          break
        case 'fill':
        case 'verify':
          this.begin(action)
          break
        case 'send':
          for (const delivery of action.deliveries) next = this.send(delivery, next)
          break
        case 'drop':
        case 'recordVerified':
      }
    }
  }

  /** @returns the watermark behind it */
  private send ({ rev, kind }: Delivery, watermark: Rev | undefined): Rev | undefined {
    const gone = this.removedUpTo(rev)
    if (kind === 'row' && this.commits[rev - 1]!.removes !== null) this.subscribers.delete(gone.at(-1)!)
    if (gone.some(user => this.subscribers.has(user))) this.broken.add('I4: something reaches a removed user')
    if (kind === 'after') {
      this.afters.sent++
      // A sole writer tells no head of what passed unseen: that is an unknown outcome.
      if (!this.script.isSoleWriter) this.told = rev
      return watermark
    }
    const before = watermark ?? this.told
    if (before !== undefined && rev !== before + 1) this.broken.add('I7: the revs are not consecutive')
    if (!this.hasDropped && rev <= this.sent) this.broken.add('I7: a rev is sent twice')
    this.sent = rev
    return rev
  }
}
