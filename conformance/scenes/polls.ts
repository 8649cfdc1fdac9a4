import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from '../rest.ts'
import { type Cast, type Conversation, dm } from './cast.ts'

/** Milliseconds that a poll may wait: far more than it should need. */
const waitMs = 20_000
/** Milliseconds after which a poll has probably begun to wait. No check depends on it. */
const beginMs = 40
/** Milliseconds that a poll waits if nothing changes: far more than an answer takes on a slow machine. */
const heldMs = 2_500
/** Polls that others may end by what they write to the common chat. */
const triesMax = 10
const abortedCount = 200

/** Long polls: a change by any path wakes them, they end on time, and abandoned ones make room for others. */
export async function polls (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid } = cast
  const conversationId = dm(ada, bob)
  await cast.direct(ada, bob, 'before')
  const { roomId, conversationId: room, path } = await cast.room({}, bob)
  const [hers, his] = await Promise.all([cast.phone(ada), cast.phone(bob)])
  let last = await cast.direct(ada, bob, 'to be changed')
  let { cursors } = await cast.sync(bob)
  const rest = (method: string, where: string, body?: object) => async () => await cast.call(ada, method, where, body)
  const wakes: Array<[string, string, () => Promise<unknown>]> = [
    ['a message over a socket', conversationId, async () => { last = (await hers.ask('sendDirectMessage', { receiverId: bob.id, content: 'socket' }))?.message }],
    ['a message over REST', conversationId, rest('POST', '/api/messages', { receiverId: bob.id, content: 'rest' })],
    ['a message in a push', conversationId, rest('POST', '/api/sync/push', { operations: [{ opId: '1', type: 'send', receiverId: bob.id, content: 'push' }] })],
    ['an own message from another device', conversationId, async () => await his.ask('sendDirectMessage', { receiverId: ada.id, content: 'mine' })],
    ['an edit', conversationId, async () => await hers.ask('editMessage', { messageId: last._id as string, content: 'edited' })],
    ['a reaction', conversationId, async () => await his.ask('react', { messageId: last._id as string, emoji: '👍', on: true })],
    ['a delete', conversationId, async () => await cast.call(ada, 'DELETE', `/api/messages/${last._id as string}`)],
    ['a read of the other', conversationId, async () => await hers.ask('markRead', { conversationId, seq: 1_000_000 })],
    ['an own read on another device', 'self', async () => await his.ask('markRead', { conversationId, seq: 1_000_000 })],
    ['a message in a room over a socket', room, async () => await hers.ask('sendRoomMessage', { roomId, content: 'socket' })],
    ['a message in a room over REST', room, rest('POST', `${path}/messages`, { content: 'rest' })],
    ['changed settings of a room', room, rest('PATCH', path, { name: 'renamed' })],
    ['somebody who comes into a room', room, rest('PUT', `${path}/members/${cid.id}`, {})],
    ['an invitation', 'self', async () => await cast.room({ isPrivate: true }, bob)],
    ['a first message of somebody new', 'self', async () => { const dan = await cast.somebody(); if (dan !== undefined) await cast.direct(dan, bob, 'hello'); else await cast.room({}, bob) }],
    ['a block on another device', 'self', async () => await cast.call(bob, 'PUT', `/api/users/${cid.id}/block`)],
    ['its end', 'self', async () => await cast.call(bob, 'DELETE', `/api/users/${cid.id}/block`)],
    ['the end of a membership', 'self', rest('DELETE', `${path}/members/${bob.id}`)]
  ]
  if (cast.common) wakes.push(['a message in the common chat', 'common_chat', rest('POST', '/api/common-chat/message', { content: 'to all' })])
  for (const [what, expected, act] of wakes) {
    const { answer, took } = await poll(cast, cursors, expected, act)
    sheet.that(`a long poll is woken by ${what}`, took < waitMs / 2 && told(answer).includes(expected), { took, told: told(answer) })
    cursors = (await cast.sync(bob, cursors)).cursors
  }

  await unchanged(cast, cursors)
  for (const wrong of [-1, 25_001, 1.5, 'soon', null]) sheet.is(`waitMs ${String(wrong)} is refused`, await cast.call(bob, 'POST', '/api/sync', { cursors, waitMs: wrong }), { status: 400, code: 'VALIDATION' })
  await aborted(cast, cursors)
}

async function poll (cast: Cast, cursors: Record<string, string>, expected: string, act: () => Promise<unknown>): Promise<{ answer: Answer, took: number }> {
  const polling = (async () => {
    // Somebody else may write to the common chat. That wakes the poll too, and is ignored here.
    for (let held = cursors; ;) {
      const answer = await cast.call(cast.bob, 'POST', '/api/sync', { cursors: held, waitMs })
      if (expected === 'common_chat' || told(answer).some(id => id !== 'common_chat') || told(answer).length === 0) return answer
      held = after(held, answer)
    }
  })()
  await delay(beginMs)
  const startedAt = Date.now()
  await act()
  return { answer: await polling, took: Date.now() - startedAt }
}

/** A poll while nothing happens. Somebody else may write to the common chat, which ends it: then it is tried again. */
async function unchanged (cast: Cast, cursors: Record<string, string>): Promise<void> {
  const { sheet, bob } = cast
  let held = cursors
  for (let tries = 1; tries <= triesMax; tries++) {
    const startedAt = Date.now()
    const nothing = await cast.call(bob, 'POST', '/api/sync', { cursors: held, waitMs: heldMs })
    const took = Date.now() - startedAt
    if (!told(nothing).includes('common_chat')) {
      const isNothing = told(nothing).length === 0 && nothing.body.hasMore === false
      sheet.that(
        'a poll without a change is held for its time, and then answered with nothing',
        isNothing && took >= heldMs - 5, { took, told: told(nothing) }
      )
      return
    }
    held = after(held, nothing)
  }
  sheet.skip('a poll without a change: others write to the common chat')
}

/** Aborted polls must not keep a later one from being served. */
async function aborted (cast: Cast, cursors: Record<string, string>): Promise<void> {
  const { sheet, rest, bob, ada } = cast
  const going = new AbortController()
  const open = Array.from({ length: abortedCount }, async () => await rest.exchange('POST', '/api/sync', { token: bob.token, body: JSON.stringify({ cursors, waitMs }), signal: going.signal }))
  await delay(beginMs * 5)
  going.abort()
  await Promise.all(open)
  const { answer, took } = await poll(cast, cursors, dm(ada, bob), async () => await cast.direct(ada, bob, 'after all of them'))
  sheet.that(`after ${abortedCount} polls that were given up, one is still held and woken`, took < waitMs / 2 && told(answer).includes(dm(ada, bob)), { status: answer.status, code: answer.code, took, told: told(answer) })
}

const after = (cursors: Record<string, string>, { body }: Answer): Record<string, string> => ({
  ...cursors,
  ...Object.fromEntries(((body.conversations ?? []) as Conversation[]).map(one => [one.conversationId, one.cursor]))
})

const told = ({ body }: Answer): string[] => ((body.conversations ?? []) as Conversation[]).map(({ conversationId }) => conversationId)
