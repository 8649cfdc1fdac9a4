import { type Rev, revOf } from '../log/model/types.ts'
import type { AfterDelivery, Delivery, GapFill, RevDelivery } from './delivery.ts'

/** Milliseconds that a delivery waits for earlier ones, which other nodes may have sent. */
const gapWaitMs = 150
/** Milliseconds after which a failed fill or verification is tried again. */
const retryMs = 1_000
/** Longest gap that is filled, in revs. After a longer one clients sync. */
const gapRevsMax = 500

/**
 * Work whose result comes back as an event. The event carries the job itself, which shows whether the result is still
 * needed.
 */
export type Job =
  | { do: 'fill', after: Rev, to: Rev }
  /** Compares subscribers with members. It finds every removal up to `to`, because those revs are committed. */
  | { do: 'verify', to: Rev }

export type Action =
  | { do: 'send', deliveries: Delivery[] }
  | { do: 'drop', delivery: RevDelivery }
  | { do: 'wait', ms: number }
  | Job
  /**
   * A change was skipped, or subscribers were verified: a membership that is being read for a new subscriber is read
   * again.
   */
  | { do: 'recordVerified' }

export type Event =
  | Delivery
  /** A commit of this node has an unknown outcome. */
  | { kind: 'unknownOutcome' }
  | { kind: 'verificationRequested' }
  | { kind: 'timer' }
  | { kind: 'filled', job: Job, fill: GapFill }
  | { kind: 'verified', job: Job }
  | { kind: 'failed', job: Job }

/** Deliveries that cannot be sent yet. */
interface Pending {
  revs: Map<Rev, RevDelivery>
  afters: AfterDelivery[]
  /** A verification is requested, and the running one may have begun too early. */
  isVerificationRequested: boolean
}

/** `rev` is the watermark. Undefined: a change may have passed unseen. */
export type State =
  | { name: 'new' }
  | { name: 'live', rev: Rev }
  | { name: 'uncertain' }
  | { name: 'waiting', rev: Rev | undefined, pending: Pending }
  | { name: 'filling', rev: Rev | undefined, pending: Pending, job: Job }

/** Inputs to the decision beside the state. */
export interface Facts {
  /** Does no other process write to the database? */
  isSoleWriter: boolean
  /** Do other nodes send their commits to this one? */
  isClustered: boolean
  /** Does a socket of this process get the conversation live? */
  hasSubscribers: boolean
  /** Can this log's changes alter the audience, or what it sees? */
  dependsOnMembership: boolean
  /** The rev that every subscriber was told or has seen; undefined: unknown, or not used for this log. */
  toldRev: Rev | undefined
  /** Is so much pending in all conversations together that no more is accepted? */
  isFull: boolean
}

export interface Step {
  state: State
  actions: Action[]
}

export const newState: State = { name: 'new' }
export const uncertain: State = { name: 'uncertain' }

/**
 * Puts commits, of this node and of others, in the order of their revs, without gaps. Commits of other nodes arrive
 * late, twice, in any order or not at all. A missing one may be a removal, and the removed user must not get what
 * follows it. So what follows a gap waits a moment; then the gap is read from the database. If it cannot be read,
 * subscribers are verified before anything else is sent.
 *
 * | state     | rev = w+1, or w unknown | rev ≤ w | rev > w+1           | timer     | filled, verified   | failed    |
 * | --------- | ----------------------- | ------- | ------------------- | --------- | ------------------ | --------- |
 * | new       | sole writer, harmless:  | –       | –                   | –         | –                  | –         |
 * |           | send → live;            |         |                     |           |                    |           |
 * |           | open: → waiting 150 ms; |         |                     |           |                    |           |
 * |           | else verify → filling   |         |                     |           |                    |           |
 * | live      | send                    | drop    | no subscriber: send | –         | –                  | –         |
 * |           |                         |         | clustered: →        |           |                    |           |
 * |           |                         |         | waiting 150 ms      |           |                    |           |
 * |           |                         |         | else → filling      |           |                    |           |
 * | waiting   | send run;               | drop    | buffer              | → filling | –                  | –         |
 * |           | none left → live        |         |                     |           |                    |           |
 * | filling   | buffer                  | drop    | buffer              | –         | send run → live,   | → waiting |
 * |           |                         |         |                     |           | waiting or filling | 1 s       |
 * | uncertain | as new, of no sole      | –       | –                   | –         | –                  | –         |
 * |           | writer                  |         |                     |           |                    |           |
 *
 * w is the watermark; what every subscriber was told moves it too. Open: w is unknown, nothing depends on membership,
 * and other nodes may have sent the revs before. Harmless: no subscriber, or (w unknown) nothing depends on membership
 * and nobody sends revs before. If such a delivery passes a gap, running subscriptions read again. An `after` is sent
 * once w ≥ its rev. With subscribers it moves w only if w is unknown and the event is a head: that tells them the rev.
 * The row of another event's rev may still be on its way.
 * Unknown outcome: new → uncertain; in other states the gap shows.
 * A requested verification: new, live, uncertain, waiting → filling; filling verifies once more. A gap of more than 500
 * revs is verified and skipped. A verification covers only revs that were known when it began: a later rev that arrived
 * meanwhile needs another one. If pending is full, it is dropped → uncertain. The result of another job is ignored.
 *
 * This function only decides; the caller runs the actions. It changes `pending`, and the rev of `live`, in place: after
 * a call, use only the state that it returned.
 */
export function resequence (state: State, event: Event, facts: () => Facts): Step {
  switch (event.kind) {
    case 'row':
    case 'noop': return onRev(state, event, facts)
    case 'after': return onAfter(state, event, facts)
    case 'unknownOutcome': return stay(state.name === 'new' ? uncertain : state)
    case 'verificationRequested': return onVerificationRequested(state, facts())
    case 'timer': return state.name === 'waiting' ? begin(state.rev, state.pending) : stay(state)
    case 'filled':
    case 'verified': return isOf(state, event.job) ? onResult(state, event, facts()) : stay(state)
    case 'failed': return isOf(state, event.job) ? onFailure(state) : stay(state)
  }
}

function isOf (state: State, job: Job): state is State & { name: 'filling' } {
  return state.name === 'filling' && state.job === job
}

function onRev (state: State, delivery: RevDelivery, facts: () => Facts): Step {
  const { rev } = delivery
  if (state.name === 'live' && rev === state.rev + 1) {
    state.rev = rev
    return { state, actions: [{ do: 'send', deliveries: [delivery] }] }
  }
  const watermark = watermarkOf(state)
  if (watermark !== undefined && rev <= watermark) return { state, actions: [{ do: 'drop', delivery }] }
  if (hasPending(state)) return buffer(state, delivery, facts())
  const given = facts()
  const send: Action = { do: 'send', deliveries: [delivery] }
  if (state.name === 'new' && given.isSoleWriter) return { state: { name: 'live', rev }, actions: [send] }
  const told = movedByTold(state, given)
  if (told !== state) return onRev(told, delivery, () => given)
  // The first delivery of a conversation may have overtaken those before it.
  const mayHaveOvertaken = watermark === undefined && given.isClustered && given.hasSubscribers && rev > 1
  return isHarmless(watermark, given) && !mayHaveOvertaken
    ? { state: { name: 'live', rev }, actions: [{ do: 'recordVerified' }, send] }
    : buffer(state, delivery, given)
}

function onAfter (state: State, delivery: AfterDelivery, facts: () => Facts): Step {
  const watermark = watermarkOf(state)
  const send: Action = { do: 'send', deliveries: [delivery] }
  if (watermark !== undefined && delivery.rev <= watermark) return { state, actions: [send] }
  const given = facts()
  const isSole = state.name === 'new' && given.isSoleWriter
  const told = isSole ? state : movedByTold(state, given)
  if (told !== state) return onAfter(told, delivery, () => given)
  if (hasPending(state) || !(isSole || isHarmless(watermark, given))) return buffer(state, delivery, given)
  const mayMove = !given.hasSubscribers || delivery.event.name === 'head'
  if (isSole || !mayMove) return { state, actions: [send] }
  return { state: { name: 'live', rev: delivery.rev }, actions: [{ do: 'recordVerified' }, send] }
}

function onVerificationRequested (before: State, facts: Facts): Step {
  if (!facts.hasSubscribers) return stay(before)
  if (facts.isFull) return stay(uncertain)
  const state = movedByTold(before, facts)
  const pending = hasPending(state) ? state.pending : nothingPending()
  pending.isVerificationRequested = true
  return state.name === 'filling' ? stay(state) : begin(watermarkOf(state), pending)
}

function onResult (
  { rev, pending, job }: State & { name: 'filling' }, event: Event & { kind: 'filled' | 'verified' }, facts: Facts
): Step {
  const marks: Action[] = event.kind === 'verified' || event.fill.isVerified ? [{ do: 'recordVerified' }] : []
  const deliveries = event.kind === 'filled' ? event.fill.deliveries : undefined
  if (deliveries !== undefined) {
    for (const [rev, read] of deliveries) if (isBetter(read, pending.revs.get(rev))) pending.revs.set(rev, read)
    return advance(rev, pending, facts, { marks })
  }
  // If a verification was requested for another reason, it does not skip a short gap.
  const isSkipped = event.kind === 'filled' || rev === undefined || job.to - rev > gapRevsMax
  const reached = isSkipped ? skipTo(rev, pending, job.to) : rev
  return advance(reached, pending, facts, { marks, verifiedTo: reached ?? job.to })
}

function onFailure ({ rev, pending, job }: State & { name: 'filling' }): Step {
  if (job.do === 'verify') pending.isVerificationRequested = true
  return { state: { name: 'waiting', rev, pending }, actions: [{ do: 'wait', ms: retryMs }] }
}

/**
 * Does a row that was read replace the delivery that was received? Only a membership does: the member may have left and
 * come back since.
 */
function isBetter (read: RevDelivery, heard: RevDelivery | undefined): boolean {
  return heard === undefined || (heard.kind === 'row' && heard.row.kind === 'membership' && read.rev === heard.rev)
}

/**
 * The watermark after a verification up to `to`: below the first pending rev, if the gap before that was verified. An
 * unknown one begins at a head that was read: subscribers are told that rev, and get every later one.
 */
function skipTo (rev: Rev | undefined, { revs, afters }: Pending, to: Rev): Rev | undefined {
  const heads = rev === undefined ? afters.flatMap(({ rev, event }) => event.name === 'head' ? [rev] : []) : [to]
  const begun = Math.min(...heads, ...Array.from(revs.keys(), first => first - 1))
  return begun <= to ? revOf(begun) : undefined
}

function buffer (state: State, delivery: Delivery, facts: Facts): Step {
  if (facts.isFull) return stay(uncertain)
  const pending = hasPending(state) ? state.pending : nothingPending()
  if (delivery.kind === 'after') pending.afters.push(delivery)
  else pending.revs.set(delivery.rev, delivery)
  return state.name === 'filling' ? stay(state) : advance(watermarkOf(state), pending, facts, { waiting: state })
}

interface Advance {
  /** Actions to run first. */
  marks?: Action[]
  /** Events after revs up to this one may be sent, even if the watermark is lower. */
  verifiedTo?: Rev
  /** The state before. If it was waiting, it continues to wait. */
  waiting?: State
}

/** Sends every pending delivery that has no gap before it, and decides how to get the rest. */
function advance (rev: Rev | undefined, pending: Pending, facts: Facts, given: Advance): Step {
  const { marks = [], verifiedTo, waiting } = given
  const { revs } = pending
  const ready: Delivery[] = []
  let last = rev ?? (!facts.dependsOnMembership && revs.has(revOf(1)) ? revOf(0) : undefined)
  if (last !== undefined) {
    for (let found = revs.get(revOf(last + 1)); found !== undefined; found = revs.get(revOf(last + 1))) {
      last = found.rev
      ready.push(found)
      revs.delete(last)
    }
  }
  // Not on every delivery that joins a gap: a long list of events would be searched each time.
  if (ready.length > 0 || waiting === undefined) {
    const sent = Math.max(last ?? 0, verifiedTo ?? 0)
    for (const after of pending.afters) if (after.rev <= sent) ready.push(after)
    pending.afters = pending.afters.filter(({ rev }) => rev > sent)
  }
  const actions: Action[] = ready.length === 0 ? marks : [...marks, { do: 'send', deliveries: ready }]
  if (sizeOf(pending) === 0 && !pending.isVerificationRequested) {
    return { state: last === undefined ? uncertain : { name: 'live', rev: last }, actions }
  }
  if (waiting?.name === 'waiting') return { state: { ...waiting, rev: last }, actions }
  const mayWait = facts.isClustered && !pending.isVerificationRequested
  if (mayWait && (last !== undefined || !facts.dependsOnMembership)) {
    return { state: { name: 'waiting', rev: last, pending }, actions: [...actions, { do: 'wait', ms: gapWaitMs }] }
  }
  const next = begin(last, pending)
  return { state: next.state, actions: [...actions, ...next.actions] }
}

/** Begins to fill the gap, or to verify if the gap cannot be filled. */
function begin (rev: Rev | undefined, pending: Pending): Step {
  const to = revOf(Math.max(rev ?? 0, ...pending.revs.keys(), ...pending.afters.map(({ rev }) => rev)))
  const mayFill = rev !== undefined && to > rev && to - rev <= gapRevsMax && !pending.isVerificationRequested
  const job: Job = mayFill ? { do: 'fill', after: rev, to } : { do: 'verify', to }
  pending.isVerificationRequested = false
  return { state: { name: 'filling', rev, pending, job }, actions: [job] }
}

/** The state, if its watermark is unknown or lower than what every subscriber knows. */
function movedByTold (state: State, { toldRev }: Facts): State {
  if (toldRev === undefined || hasPending(state) || (watermarkOf(state) ?? -1) >= toldRev) return state
  return { name: 'live', rev: toldRev }
}

/** Can a gap do no harm here? */
function isHarmless (watermark: Rev | undefined, { hasSubscribers, dependsOnMembership }: Facts): boolean {
  return !hasSubscribers || (watermark === undefined && !dependsOnMembership)
}

function watermarkOf (state: State): Rev | undefined {
  return 'rev' in state ? state.rev : undefined
}

export function hasPending (state: State): state is State & { name: 'waiting' | 'filling' } {
  return state.name === 'waiting' || state.name === 'filling'
}

/** The number of deliveries that a state holds back. */
export function pendingCount (state: State): number {
  return hasPending(state) ? sizeOf(state.pending) : 0
}

function sizeOf ({ revs, afters }: Pending): number {
  return revs.size + afters.length
}

function nothingPending (): Pending {
  return { revs: new Map(), afters: [], isVerificationRequested: false }
}

function stay (state: State): Step {
  return { state, actions: [] }
}
