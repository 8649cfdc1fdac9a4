import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Delivery } from '../../src/live/delivery.ts'
import {
  type Action, type Event, type Facts, type Job, type State, type Step, newState, pendingCount, resequence
} from '../../src/live/resequencer.ts'
import { revOf } from '../../src/log/model/types.ts'
import { after, breaches, noop, row, script, typing } from './gap-world.ts'

const facts: Facts = {
  isSoleWriter: false,
  isClustered: true,
  hasSubscribers: true,
  dependsOnMembership: true,
  toldRev: undefined,
  isFull: false
}

/** The state behind some events, and what the last of them makes it do. */
function run (events: Event[], given: Partial<Facts> = {}, from: State = newState) {
  let step: Step = { state: from, actions: [] }
  for (const event of events) step = resequence(step.state, event, () => ({ ...facts, ...given }))
  const { state, actions } = step
  return {
    state,
    name: state.name,
    rev: 'rev' in state ? state.rev : undefined,
    done: actions.map(plain),
    job: actions.find(isJob) as Job
  }
}

const isJob = (action: { do: string }): action is Job => action.do === 'fill' || action.do === 'verify'

/** An action in short: `send 1 2`, `wait 150`, `fill 1 3`. */
function plain (action: Action): string {
  switch (action.do) {
    case 'send': return ['send', ...action.deliveries.map(({ rev, kind }) => kind === 'row' ? rev : `${kind} ${rev}`)].join(' ')
    case 'drop': return `drop ${action.delivery.rev}`
    case 'wait': return `wait ${action.ms}`
    case 'fill': return `fill ${action.after} ${action.to}`
    case 'verify': return `verify ${action.to}`
    case 'recordVerified': return 'record'
  }
}

const live = (rev: number): State => ({ name: 'live', rev: revOf(rev) })
const unknown: Event = { kind: 'unknownOutcome' }
const request: Event = { kind: 'verificationRequested' }
const timer: Event = { kind: 'timer' }
const noSubscriber = { hasSubscribers: false }
const open = { dependsOnMembership: false }
const sole = { isSoleWriter: true, isClustered: false }
const alone = { isClustered: false }
const told = (rev: number) => ({ ...open, toldRev: revOf(rev) })

type Cell = [title: string, from: State, events: Event[], given: Partial<Facts>, state: string, done: string[]]
const cells: Cell[] = [
  ['new: a sole writer sends', newState, [row(7)], sole, 'live 7', ['send 7']],
  ['new: without subscribers it passes', newState, [row(7)], noSubscriber, 'live 7', ['record', 'send 7']],
  ['new: a node alone', newState, [row(7)], { ...open, ...alone }, 'live 7', ['record', 'send 7']],
  ['new: one of other nodes may still come', newState, [row(7)], open, 'waiting', ['wait 150']],
  ['new: it comes', newState, [row(7), row(6), timer], open, 'filling', ['verify 7']],
  ['new: nothing comes before the first', newState, [row(1)], open, 'live 1', ['record', 'send 1']],
  ['new: the second overtakes the first', newState, [row(2), row(1)], open, 'live 2', ['send 1 2']],
  ['new: the next of what subscribers know', newState, [row(7)], told(6), 'live 7', ['send 7']],
  ['new: a gap behind what subscribers know', newState, [row(7)], told(5), 'waiting 5', ['wait 150']],
  ['new: they know it already', newState, [row(7)], told(7), 'live 7', ['drop 7']],
  ['new: a membership may have changed unseen', newState, [row(7)], {}, 'filling', ['verify 7']],
  ['new: an unknown outcome', newState, [unknown], sole, 'uncertain', []],
  ['new: an event of a sole writer moves no watermark', newState, [after(7)], sole, 'new', ['send after 7']],
  ['new: an event without subscribers does', newState, [after(7)], noSubscriber, 'live 7', ['record', 'send after 7']],
  ['new: an event of an open conversation does not', newState, [typing(7)], open, 'new', ['send after 7']],
  ['new: but a head does', newState, [after(7)], open, 'live 7', ['record', 'send after 7']],
  ['new: an event is verified', newState, [after(7)], {}, 'filling', ['verify 7']],
  ['new: a requested verification', newState, [request], {}, 'filling', ['verify 0']],
  ['new: one that helps nobody', newState, [request], noSubscriber, 'new', []],
  ['new: full', newState, [row(7)], { isFull: true }, 'uncertain', []],
  ['live: the next rev', live(7), [row(8)], {}, 'live 8', ['send 8']],
  ['live: a rev that was sent', live(7), [row(7)], {}, 'live 7', ['drop 7']],
  ['live: what subscribers were told since', live(7), [row(20)], told(19), 'live 20', ['send 20']],
  ['live: a later rev waits for other nodes', live(7), [row(9)], {}, 'waiting 7', ['wait 150']],
  ['live: nobody tells what is missing', live(7), [row(9)], alone, 'filling 7', ['fill 7 9']],
  ['live: a later rev without subscribers', live(7), [row(9)], noSubscriber, 'live 9', ['record', 'send 9']],
  ['live: a gap of an open conversation', live(7), [row(9)], { ...open, ...alone }, 'filling 7', ['fill 7 9']],
  ['live: an event of a rev that was sent', live(7), [after(7)], {}, 'live 7', ['send after 7']],
  ['live: an event of a later rev', live(7), [after(8)], {}, 'waiting 7', ['wait 150']],
  ['live: the same without subscribers', live(7), [after(8)], noSubscriber, 'live 8', ['record', 'send after 8']],
  ['live: an unknown outcome shows as a gap', live(7), [unknown], sole, 'live 7', []],
  ['live: a gap that is too long to fill', live(7), [row(509)], alone, 'filling 7', ['verify 509']],
  ['live: the longest gap that is filled', live(7), [row(507)], alone, 'filling 7', ['fill 7 507']],
  ['live: a requested verification', live(7), [request], {}, 'filling 7', ['verify 7']],
  ['live: full', live(7), [row(9)], { isFull: true }, 'uncertain', []],
  ['live: a timer of before', live(7), [timer], {}, 'live 7', []],
  ['waiting: what was missing comes', live(7), [row(9), after(9), row(8)], {}, 'live 9', ['send 8 9 after 9']],
  ['waiting: a part of it comes', live(7), [row(10), row(8)], {}, 'waiting 8', ['send 8']],
  ['waiting: a rev that was sent', live(7), [row(9), row(7)], {}, 'waiting 7', ['drop 7']],
  ['waiting: a later rev', live(7), [row(9), row(11)], {}, 'waiting 7', []],
  ['waiting: an event of a rev that was sent', live(7), [row(9), after(6)], {}, 'waiting 7', ['send after 6']],
  ['waiting: the time is over', live(7), [row(9), row(11), timer], {}, 'filling 7', ['fill 7 11']],
  ['waiting: a requested verification', live(7), [row(9), request], {}, 'filling 7', ['verify 9']],
  ['filling: the next rev', live(7), [row(9), timer, row(8)], {}, 'filling 7', []],
  ['filling: a rev that was sent', live(7), [row(9), timer, row(7)], {}, 'filling 7', ['drop 7']],
  ['filling: a later rev', live(7), [row(9), timer, row(12)], {}, 'filling 7', []],
  ['filling: a timer of before', live(7), [row(9), timer, timer], {}, 'filling 7', []],
  ['filling: a requested verification', live(7), [row(9), timer, request], {}, 'filling 7', []],
  ['uncertain: without subscribers', { name: 'uncertain' }, [row(7)], noSubscriber, 'live 7', ['record', 'send 7']],
  ['uncertain: nothing depends on membership', { name: 'uncertain' }, [row(7)], open, 'waiting', ['wait 150']],
  ['uncertain: what subscribers know', { name: 'uncertain' }, [row(7)], told(6), 'live 7', ['send 7']],
  ['uncertain: a sole writer verifies too', { name: 'uncertain' }, [row(7)], sole, 'filling', ['verify 7']],
  ['uncertain: an event of a sole writer', { name: 'uncertain' }, [after(7)], sole, 'filling', ['verify 7']],
  ['uncertain: an unknown outcome', { name: 'uncertain' }, [unknown], sole, 'uncertain', []]
]

t.test('I4 I7: every cell of the table of states', async t => {
  for (const [title, from, events, given, expected, done] of cells) {
    const { name, rev, done: actions } = run(events, given, structuredClone(from))
    t.same([rev === undefined ? name : `${name} ${rev}`, actions], [expected, done], title)
  }
})

const filled = (job: Job, revs: number[], isVerified = false): Event => (
  { kind: 'filled', job, fill: { deliveries: new Map(revs.map(rev => [revOf(rev), noop(rev)])), isVerified } }
)

t.test('rows read for a gap are sent in its place, and rows that came meanwhile follow', async t => {
  const filling = run([row(9), timer], {}, live(7))
  const { name, rev, done } = run([after(10), row(10), filled(filling.job, [8, 9])], {}, filling.state)
  t.same([name, rev, done], ['live', 10, ['send noop 8 9 10 after 10']])

  const before = run([row(9), timer], {}, live(7))
  const more = run([row(12), filled(before.job, [8, 9], true)], {}, before.state)
  t.same([more.name, more.rev, more.done], ['waiting', 9, ['record', 'send noop 8 9', 'wait 150']])

  const unheard = run([row(9)], alone, live(7))
  t.same(run([row(12), filled(unheard.job, [8, 9])], alone, unheard.state).done, ['send noop 8 9', 'fill 9 12'])
})

t.test('a membership announced by another node is sent as the read finds it', async t => {
  const filling = run([row(9, { kind: 'membership' }), timer], {}, live(7))
  t.same(run([filled(filling.job, [8, 9])], {}, filling.state).done, ['send noop 8 noop 9'])
})

t.test('I4: a verification covers the revs known when it began, and none that came meanwhile', async t => {
  const first = run([row(9)])
  t.same(run([row(8), { kind: 'verified', job: first.job }], {}, first.state).done, ['record', 'send 8 9'])

  const asked = run([typing(7)])
  const { state, done, job } = run([row(9), { kind: 'verified', job: asked.job }], {}, asked.state)
  t.same(done, ['record', 'send after 7', 'verify 9'], 'rev 8 may be a removal')
  t.same(run([{ kind: 'verified', job }], {}, state).done, ['record', 'send 9'])

  const again = run([typing(7)])
  const later = run([typing(9), { kind: 'verified', job: again.job }], {}, again.state)
  t.same(later.done, ['record', 'send after 7', 'verify 9'])
  const next = run([after(7)])
  t.same(run([row(8), { kind: 'verified', job: next.job }], {}, next.state).done, ['record', 'send 8 after 7'])
})

t.test('I7: a conversation begins at the head that was read: what follows it is read, not skipped', async t => {
  const asked = run([after(7)])
  t.same(run([{ kind: 'verified', job: asked.job }], {}, asked.state).rev, 7)

  const early = run([after(7)])
  const { name, rev, done } = run([row(9), { kind: 'verified', job: early.job }], {}, early.state)
  t.same([name, rev, done], ['waiting', 7, ['record', 'send after 7', 'wait 150']])

  const late = run([row(9)])
  const read = run([after(7), { kind: 'verified', job: late.job }], {}, late.state)
  t.same(read.done, ['record', 'send after 7', 'wait 150'])

  const heard = run([row(7)])
  t.same(run([after(7), { kind: 'verified', job: heard.job }], {}, heard.state).done, ['record', 'send 7 after 7'])
})

t.test('the first deliveries of an open conversation are put in order', async t => {
  const { state, job } = run([row(7), row(6), timer], open)
  const verified: Event = { kind: 'verified', job }
  t.same(run([verified], open, state).done, ['record', 'send 6 7'])
})

t.test('a verification skips a gap only if it is too long', async t => {
  const long = run([row(600)], alone, live(7))
  t.same(run([row(601), { kind: 'verified', job: long.job }], alone, long.state).done, ['record', 'send 600 601'])
  const event = run([after(600)], alone, live(7))
  const { name, rev, done } = run([{ kind: 'verified', job: event.job }], alone, event.state)
  t.same([name, rev, done], ['live', 600, ['record', 'send after 600']])
  const short = run([row(9), request], {}, live(7))
  t.same(run([{ kind: 'verified', job: short.job }], {}, short.state).done, ['record', 'wait 150'])
})

t.test('a conversation that no longer exists is skipped', async t => {
  const { state, job } = run([row(9)], alone, live(7))
  const gone: Event = { kind: 'filled', job, fill: { deliveries: undefined, isVerified: true } }
  t.same(run([gone], alone, state).done, ['record', 'send 9'])
})

t.test('a verification that is requested during another one follows it', async t => {
  const { state, job } = run([request], {}, live(7))
  t.same(run([request, { kind: 'verified', job }], {}, state).done, ['record', 'verify 7'])
})

t.test('a failed job is tried again after a second, whatever comes meanwhile', async t => {
  const failing = run([row(9), timer], {}, live(7))
  const waiting = run([{ kind: 'failed', job: failing.job }], {}, failing.state)
  t.same([waiting.name, waiting.done], ['waiting', ['wait 1000']])
  t.same(run([row(10)], {}, waiting.state).done, [])
  t.same(run([timer], {}, waiting.state).done, ['fill 7 10'])

  const unverified = run([request], {}, live(7))
  const later = run([{ kind: 'failed', job: unverified.job }], {}, unverified.state)
  const moved = run([row(8)], {}, later.state)
  t.same([moved.name, moved.done], ['waiting', ['send 8']])
  t.same(run([timer], {}, moved.state).done, ['verify 8'])
})

t.test('when too many deliveries are pending they are dropped, and the result of their job is ignored', async t => {
  const { state, job } = run([row(9), timer], {}, live(7))
  t.equal(pendingCount(state), 1)
  const { name, state: dropped } = run([row(10)], { isFull: true }, state)
  t.equal(name, 'uncertain')
  t.equal(pendingCount(dropped), 0)
  const next = run([row(11)], {}, dropped)
  t.same(next.done, ['verify 11'])
  for (const kind of ['verified', 'failed'] as const) t.same(run([{ kind, job }], {}, next.state).done, [])
  t.same(run([filled(job, [8, 9])], {}, next.state).done, [])
})

const keepsOrder = (step: typeof resequence) => fc.property(script, script => {
  assert.deepEqual(breaches(script, step), [])
})

t.test('I4 I7: after any loss, repeat or delay revs are consecutive, and removed users get none', async t => {
  fc.assert(keepsOrder(resequence), { numRuns: 5_000 })
  t.pass('5,000 random scripts')
})

const send = (delivery: Delivery): Action => ({ do: 'send', deliveries: [delivery] })

const mutants: Record<string, typeof resequence> = {
  'a head that was read is taken for any event': (state, event, facts) =>
    resequence(state, event.kind === 'after' ? typing(event.rev) : event, facts),
  'a rev that was sent is sent again': (state, event, facts) => {
    const step = resequence(state, event, facts)
    const again = (action: Action): Action => action.do === 'drop' ? send(action.delivery) : action
    return { ...step, actions: step.actions.map(again) }
  },
  'a gap is jumped': (state, event, facts) => state.name === 'live' && event.kind === 'row' && event.rev > state.rev
    ? { state: { name: 'live', rev: event.rev }, actions: [send(event)] }
    : resequence(state, event, facts),
  'the first rev is taken for the next': (state, event, facts) =>
    resequence(state, event, () => ({ ...facts(), isSoleWriter: true })),
  'an unknown outcome is forgotten': (state, event, facts) => event.kind === 'unknownOutcome'
    ? { state, actions: [] }
    : resequence(state, event, facts),
  'a verification covers what came during it': (state, event, facts) => {
    if (event.kind === 'verified') event.job.to = revOf(1e9)
    return resequence(state, event, facts)
  },
  'a job that failed is not tried again': (state, event, facts) => {
    const step = resequence(state, event, facts)
    return event.kind === 'failed' ? { ...step, actions: [] } : step
  },
  'an event overtakes its rev': (state, event, facts) => event.kind === 'after'
    ? { state, actions: [send(event)] }
    : resequence(state, event, facts),
  'a stale result counts': (state, event, facts) => state.name === 'filling' && 'job' in event
    ? resequence(state, { ...event, job: state.job } as Event, facts)
    : resequence(state, event, facts)
}

for (const [mutant, step] of Object.entries(mutants)) {
  t.test(`the scripts find that ${mutant}`, async t => {
    t.ok(fc.check(keepsOrder(step), { numRuns: 100_000, endOnFailure: true }).failed)
  })
}
