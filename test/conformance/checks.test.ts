import t from 'tap'
import { wholeAfter } from '../../conformance/attacks/pull.ts'
import { checks } from '../../conformance/checks/index.ts'
import { type Attempt, type Connection, type Follower, History, type LiveEvent, type Message } from '../../conformance/history.ts'
import { type PromiseNumber, type SectionName, promises, reportOf, textOf, verdictOf } from '../../conformance/report.ts'

const ada = 'a'.repeat(24)
const bob = 'b'.repeat(24)
const dm = `dm_${ada}_${bob}`

const message = (seq: number, fields: Partial<Message> = {}): Message => ({
  _id: `m${seq}`,
  conversationId: dm,
  seq,
  rev: seq,
  message: `text ${seq}`,
  clientMessageId: `c${seq}`,
  isDeleted: false,
  createdAt: `2026-01-01T00:00:0${seq}.000Z`,
  updatedAt: `2026-01-01T00:00:0${fields.rev ?? seq}.000Z`,
  senderId: { _id: ada },
  ...fields
})

const attempt = (seq: number, fields: Partial<Attempt> = {}): Attempt => ({
  senderId: ada,
  conversationId: dm,
  clientMessageId: `c${seq}`,
  content: `text ${seq}`,
  via: 'socket',
  connection: 'ada/1/1',
  place: seq,
  startedAt: seq * 100,
  first: true,
  ending: { kind: 'stored', at: seq * 100 + 50, messageId: `m${seq}`, seq, rev: seq, duplicate: false },
  ...fields
})

const live = (seq: number, fields: Partial<LiveEvent> = {}): LiveEvent =>
  ({ at: seq * 100 + 40, name: 'directMessage', conversationId: dm, rev: seq, seq, messageId: `m${seq}`, userId: '', ...fields })

const connection = (events: LiveEvent[], fields: Partial<Connection> = {}): Connection =>
  ({ id: 'ada/2/1', device: 'ada/2', userId: ada, since: new Map([[dm, 0]]), live: true, openedAt: 0, closedAt: Infinity, released: true, resyncAt: Infinity, events, ...fields })

const follower = (messages: Message[], fields: Partial<Follower> = {}): Follower => ({
  name: 'a follower',
  userId: bob,
  conversationId: dm,
  knows: 'cursor',
  finished: true,
  afterSeq: 0,
  held: new Map(messages.map(one => [one._id, one])),
  pages: [{ limit: 3, revs: messages.map(({ rev }) => rev), createdAt: messages.map(({ createdAt }) => createdAt!), hasMore: false, reset: false, sameCursor: false }],
  problems: [],
  ...fields
})

/** Three messages, sent, delivered, fetched and followed without a fault; `spoil` breaks one thing. */
function history (spoil: (history: History) => void = () => {}): History {
  const good = new History()
  const messages = [message(1), message(2), message(3)]
  good.kills = 1
  good.members.set(dm, new Set([ada, bob]))
  good.attempts.push(attempt(1), attempt(2), attempt(3), attempt(3, {
    via: 'rest', connection: '', place: 0, first: false, ending: { kind: 'stored', at: 400, messageId: 'm3', seq: 3, rev: 3, duplicate: true }
  }))
  for (const one of messages) good.see('acknowledged over socket', one, one.seq * 100 + 50)
  good.connections.push(connection([live(1), live(2), live(3)]))
  good.followers.push(follower(messages))
  good.snapshots.push({ name: 'at the end', conversationId: dm, userId: bob, startedAt: 1_000, afterSeq: 0, messages })
  good.probes.push({ what: 'PUT of a stranger', expected: 'hidden', status: 404, code: 'NOT_FOUND', ofNothing: { status: 404, code: 'NOT_FOUND' } })
  spoil(good)
  return good
}

const promiseChecks = [...checks].filter(([key]) => key in promises)

t.test('a history without a fault keeps every promise', async t => {
  for (const [number, check] of promiseChecks) {
    const checked = check(history())
    t.strictSame(checked.findings, [], `promise ${number}`)
    t.equal(verdictOf(checked), 'held', `promise ${number}`)
  }
})

t.test('an empty history proves nothing', async t => {
  for (const [number, check] of checks) t.equal(verdictOf(check(new History())), 'not exercised', `promise ${number}`)
})

const snapshot = (given: History) => given.snapshots[0]!

/** Each history breaks one promise in one way; the words must be in what is found. */
const broken: Array<[PromiseNumber | SectionName, string, RegExp, (given: History) => void]> = [
  [0, 'an answer of 500', /answered 500/, given => { given.faults.push({ at: 1, what: 'GET / was answered 500' }) }],
  [0, 'a long poll is late', /waitMs 100 was answered after 10200 ms/, given => {
    given.polls.push({ waitMs: 100, startedAt: 400, doneAt: 10_600 })
    given.slowCalls.push({ from: 20_000, to: 30_000 })
  }],

  [1, 'an acknowledged message is gone', /m2 .*acknowledged over socket at seq 2, rev 2, is not in the sync at the end/, given => { snapshot(given).messages = [message(1), message(3)] }],
  [1, 'a delivered message is gone', /m9 .*delivered live.* is not in/, given => { given.see('delivered live', message(9), 500) }],
  [1, 'a message has moved to another seq', /m2 .* has seq 3/, given => { snapshot(given).messages = [message(1), message(2, { seq: 3 })] }],
  [1, 'an acknowledged edit is gone', /m2 .* is back at rev 2/, given => { given.see('acknowledged by edit', message(2, { rev: 4 }), 500) }],
  [1, 'a message is there twice', /two messages of the same clientMessageId/, given => { snapshot(given).messages = [...snapshot(given).messages, message(4, { clientMessageId: 'c3' })] }],
  [1, 'two messages share a rev', /two messages of the same rev \(2\)/, given => { snapshot(given).messages = [message(1), message(2), message(3, { rev: 2 })] }],
  [1, 'a setting is back', /name of a room was set to two, and is "one"/, given => { given.settings.push({ key: 'the name of a room', kind: 'set', value: 'two' }, { key: 'the name of a room', kind: 'found', value: 'one' }) }],
  [1, 'a read position is back', /had read up to seq 3, and stands at 2/, given => {
    given.reads.push({ conversationId: dm, userId: bob, seq: 3, connection: '', startedAt: 400, doneAt: 450 })
    given.counts.push({ userId: bob, conversationId: dm, readSeq: 2, unreadCount: 1, startedAt: 900 })
  }],
  ['reads', 'a count is wrong', /is told of 2 unread messages; there are 1/, given => { given.counts.push({ userId: bob, conversationId: dm, readSeq: 2, unreadCount: 2, startedAt: 900 }) }],
  ['tokens', 'a scene saw something else', /a logout closes, it should be; it is open/, given => { given.observations.push({ under: 'tokens', what: 'a logout closes', held: false, evidence: 'it is open' }) }],
  [6, 'something is told that nobody may know', /tells email/, given => { given.leaks.push('GET / tells email') }],

  [2, 'a retry is another message', /answered with 2 messages: m3 and m4/, given => { given.attempts.push(attempt(3, { ending: { kind: 'stored', at: 500, messageId: 'm4', seq: 4, rev: 4, duplicate: true } })) }],
  [2, 'a retry is new again', /answered as new 2 times/, given => { given.attempts.push(attempt(3)) }],
  [2, 'another body is accepted', /accepted with different bodies/, given => { given.attempts.push(attempt(3, { content: 'other', ending: { kind: 'stored', at: 500, messageId: 'm3', seq: 3, rev: 3, duplicate: true } })) }],
  [2, 'the same body is refused', /always with one body, was refused/, given => { given.attempts.push(attempt(3, { ending: { kind: 'refused', at: 500, code: 'IDEMPOTENCY_MISMATCH' } })) }],
  [2, 'it is stored twice', /stored 2 times/, given => { snapshot(given).messages = [...snapshot(given).messages, message(4, { clientMessageId: 'c3' })] }],
  [2, 'it is stored as another message', /answered with m3 and is stored as m7/, given => { snapshot(given).messages = [message(1), message(2), message(3, { _id: 'm7' })] }],

  [3, 'a follower lacks a message', /never got message m2 \(seq 2, rev 2\)/, given => { given.followers = [follower([message(1), message(3)])] }],
  [3, 'a follower lacks an edit', /holds message m2 \(seq 2\) at rev 2; it stands at rev 4/, given => { snapshot(given).messages = [message(1), message(2, { rev: 4, message: 'edited' }), message(3)] }],
  [3, 'a follower lacks a deletion', /holds message m3/, given => { snapshot(given).messages = [message(1), message(2), message(3, { rev: 4, isDeleted: true, message: '' })] }],
  [3, 'a follower holds what nobody does', /holds message m4 \(seq 4\), which nobody else does/, given => { given.followers = [follower([message(1), message(2), message(3), message(4)])] }],
  [3, 'a seq is missing', /seq 2 is missing/, given => { snapshot(given).messages = [message(1), message(3)] }],
  [3, 'a page goes back', /got rev 1 after a cursor that stood for rev 3/, given => { given.followers[0]!.pages.push({ limit: 3, revs: [1], createdAt: [], hasMore: false, reset: false, sameCursor: false }) }],
  [3, 'a page does not advance', /told that there is more and got the cursor that it had sent/, given => { given.followers[0]!.pages.push({ limit: 3, revs: [], createdAt: [], hasMore: true, reset: false, sameCursor: true }) }],
  [3, 'a page is too long', /asked for 1 and got 2/, given => { given.followers[0]!.pages.push({ limit: 1, revs: [4, 5], createdAt: [], hasMore: false, reset: false, sameCursor: false }) }],
  [3, 'an answer has a fault of its own', /got 2 changes behind the head/, given => { given.followers[0]!.problems.push('got 2 changes behind the head') }],
  [3, 'a live connection has a hole', /got rev 3 \(directMessage\) after 1/, given => { given.connections = [connection([live(1), live(3)])] }],
  [3, 'a live connection has a hole beside a removal', /got rev 4 \(directMessage\) after 1/, given => {
    given.connections = [connection([live(1), live(4)])]
    given.removals.push({ userId: ada, conversationId: dm, rev: 2, untilRev: 5 })
  }],
  [3, 'an acknowledged edit does not stand', /m2 stands at rev 2 without the edit that was acknowledged at rev 4/, given => {
    given.changes.push({ messageId: 'm2', conversationId: dm, userId: ada, type: 'edit', content: 'edited', startedAt: 400, ending: { kind: 'done', at: 450, rev: 4 } })
  }],

  [4, 'a message has two places', /m2 was seen at seq 2 and at seq 5/, given => { given.see('in a sync answer', message(2, { seq: 5 }), 600) }],
  [4, 'a place has two messages', /seq 2 was seen of message m2 and of message m8/, given => { given.see('in a sync answer', message(2, { _id: 'm8' }), 600) }],
  [4, 'live delivery goes back', /got seq 1 \(rev 1\) live after seq 2/, given => { given.connections = [connection([live(2), live(1)])] }],
  [4, 'messages of one connection swap', /c1 was sent before c2 over one connection, and has seq 4 after 2/, given => { given.attempts[0] = attempt(1, { ending: { kind: 'stored', at: 150, messageId: 'm1', seq: 4, rev: 4, duplicate: false } }) }],
  [4, 'an answer is not in order of creation', /not in createdAt order/, given => { given.followers[0]!.pages[0]!.createdAt.reverse() }],

  [5, 'a device never hears of a message', /device ada\/2 .* never heard of message m2/, given => { given.connections = [connection([live(1), live(3)])] }],
  [5, 'a device never hears of an edit', /never heard of the edit of message m2 \(rev 4\)/, given => {
    given.changes.push({ messageId: 'm2', conversationId: dm, userId: ada, type: 'edit', content: 'edited', startedAt: 400, ending: { kind: 'done', at: 450, rev: 4 } })
  }],
  [5, 'a device never hears of a read', /never heard of reading up to seq 2/, given => { given.reads.push({ conversationId: dm, userId: ada, seq: 2, connection: '', startedAt: 400, doneAt: 450 }) }],
  [5, 'a device hears twice', /got message m3 at rev 3 twice/, given => { given.connections = [connection([live(1), live(2), live(3), live(3)])] }],

  [6, 'a stranger may edit', /PUT of a stranger was answered 200/, given => { Object.assign(given.probes[0]!, { status: 200, code: '' }) }],
  [6, 'a stranger learns that it exists', /answered 403 NOT_ALLOWED, and where there is nothing 404 NOT_FOUND/, given => { Object.assign(given.probes[0]!, { status: 403, code: 'NOT_ALLOWED' }) }],
  [6, 'an operator ends in a fault', /answered 500/, given => { Object.assign(given.probes[0]!, { expected: 'refused', status: 500, code: 'INTERNAL' }) }],
  [6, 'a member is refused', /was refused: 404/, given => { given.probes[0]!.expected = 'allowed' }],
  [6, 'a stranger overhears', /who is not in it, got directMessage at rev 1/, given => { given.connections.push(connection([live(1)], { userId: 'c'.repeat(24) })) }],
  [6, 'somebody who was removed overhears', /removed at rev 1, got directMessage at rev 2/, given => { given.removals.push({ userId: ada, conversationId: dm, rev: 1, untilRev: 3 }) }],

  [7, 'a time goes back', /rev 3 has the time .*01\.500Z, rev 2 before it/, given => { snapshot(given).messages = [message(1), message(2), message(3, { updatedAt: '2026-01-01T00:00:01.500Z' })]; given.seen.pop() }],
  [7, 'two revs share a time', /rev 3 has the time/, given => { snapshot(given).messages = [message(1), message(2), message(3, { updatedAt: message(2).updatedAt! })]; given.seen.pop() }],
  [7, 'a rev has two times', /rev 2 was seen with the times/, given => { given.see('in a sync answer', message(2, { updatedAt: '2026-01-01T00:00:02.001Z' }), 600) }]
]

for (const [number, what, words, spoil] of broken) {
  t.test(`promise ${number}: ${what}, and that is found`, async t => {
    const checked = checks.get(number)!(history(spoil))
    t.equal(verdictOf(checked), 'broken')
    t.ok(checked.findings.some(finding => words.test(finding.what)), JSON.stringify(checked.findings))
  })
}

/** What looks wrong and is not. */
const fine: Array<[PromiseNumber | SectionName, string, (given: History) => void]> = [
  [0, 'a long poll is as late as other calls', given => {
    given.polls.push({ waitMs: 100, startedAt: 400, doneAt: 10_600 })
    given.slowCalls.push({ from: 10_000, to: 11_500 })
  }],
  [1, 'what was seen after the fetch began may be missing in it', given => { given.see('delivered live', message(4), 1_001) }],
  [1, 'a setting of unknown outcome may stand, or not', given => {
    const key = 'a block'
    given.settings.push({ key, kind: 'set', value: 'on' }, { key, kind: 'unknown', value: 'off' }, { key, kind: 'found', value: 'on' }, { key, kind: 'found', value: 'off' }, { key, kind: 'set', value: 'on' }, { key, kind: 'found', value: 'on' })
  }],
  ['reads', 'own and deleted messages are not counted', given => {
    snapshot(given).messages = [message(1), message(2, { isDeleted: true }), message(3), message(4, { senderId: { _id: bob } })]
    given.counts.push({ userId: bob, conversationId: dm, readSeq: 1, unreadCount: 1, startedAt: 900 })
  }],
  [2, 'another body that is refused', given => { given.attempts.push(attempt(3, { content: 'other', ending: { kind: 'refused', at: 500, code: 'IDEMPOTENCY_MISMATCH' } })) }],
  [3, 'a client that knows only the time gets no tombstones', given => {
    given.followers = [follower([message(1), message(2)], { knows: 'time' })]
    snapshot(given).messages = [message(1), message(2), message(3, { isDeleted: true, rev: 4 })]
  }],
  [3, 'what the newest page left out is not missed', given => { given.followers = [follower([message(3)], { knows: 'sync', afterSeq: 2 })] }],
  [3, 'a change of unknown outcome may stand, or not', given => {
    const change = { messageId: 'm2', conversationId: dm, userId: ada, type: 'edit', content: 'edited', startedAt: 400, ending: { kind: 'unknown', at: 450 } } as const
    given.changes.push(change)
  }],
  [3, 'a hole in which the user was out', given => {
    given.connections = [connection([live(1), live(3)])]
    given.removals.push({ userId: ada, conversationId: dm, rev: 1, untilRev: 3 })
  }],
  [3, 'a hole that a noop fills', given => { given.connections = [connection([live(1), live(2, { name: 'noop', messageId: '', seq: 0 }), live(3)])] }],
  [4, 'what was sent again takes the place of the try that came through', given => { given.attempts[0] = attempt(1, { first: false, ending: { kind: 'stored', at: 900, messageId: 'm1', seq: 4, rev: 4, duplicate: false } }) }],
  [5, 'a message that was on its way when the link ended', given => {
    given.connections = [connection([live(1), live(2)])]
    given.unlinked.push({ from: 1_000, to: 4_000 })
  }],
  [5, 'a device that went away soon after is not blamed', given => { given.connections = [connection([live(1)], { closedAt: 400 })] }],
  [5, 'a read that another had gone beyond before', given => {
    const read = { conversationId: dm, userId: ada, startedAt: 400, doneAt: 450 }
    given.reads.push({ ...read, seq: 3, connection: 'ada/2/1' }, { ...read, seq: 2, connection: 'ada/1/1', startedAt: 460, doneAt: 480 })
  }],
  [5, 'a read that one of unknown outcome may have gone beyond', given => {
    const read = { conversationId: dm, userId: ada, connection: '', startedAt: 400 }
    given.reads.push({ ...read, seq: 3, doneAt: Infinity }, { ...read, seq: 2, startedAt: 460, doneAt: 480 })
  }],
  [5, 'the connection that read is told by its acknowledgement', given => { given.reads.push({ conversationId: dm, userId: ada, seq: 2, connection: 'ada/2/1', startedAt: 400, doneAt: 450 }) }],
  [6, 'what was said before the removal', given => { given.removals.push({ userId: ada, conversationId: dm, rev: 3, untilRev: 9 }) }]
]

for (const [number, what, change] of fine) {
  t.test(`promise ${number}: ${what}`, async t => { t.strictSame(checks.get(number)!(history(change)).findings, []) })
}

t.test('a report names the verdict, the smallest evidence and what was left out', async t => {
  const text = textOf(reportOf(new Map([
    [1, { looked: 3, unexercised: [], findings: ['a', 'b', 'c', 'd'].map(what => ({ what })) }],
    [2, { looked: 0, unexercised: ['nothing was sent twice'], findings: [] }],
    [7, { looked: 12, unexercised: [], findings: [] }]
  ])))
  t.equal(text, [
    '1. Acknowledged is kept        broken         3 checked',
    '   broken: a',
    '   broken: b',
    '   broken: c',
    '   and 1 more',
    '2. Retries are free            not exercised',
    '   not exercised: nothing was sent twice',
    '7. Time                        held           12 checked'
  ].join('\n'))
})

t.test('after a reset a client must hold the newest page, and not the changes made while it was fetched', async t => {
  t.equal(wholeAfter({ reset: true, hasMore: true }, [message(1047), message(1050)], []), 1046)
  t.equal(wholeAfter({ reset: true, hasMore: true }, [], []), undefined, 'settings alone: the page goes on')
  t.equal(wholeAfter({ reset: false, hasMore: true }, [message(1047), message(1043)], [message(1047), message(1043)]), undefined, 'seq 1043 was changed: it is older than the page')
  t.equal(wholeAfter({ reset: false, hasMore: false }, [], [message(1047), message(1043)]), 1047)
  t.equal(wholeAfter({ reset: true, hasMore: false }, [], []), 0)
})
