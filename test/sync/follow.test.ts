import { deepEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { setBlock } from '../../src/chat/conversations/block-user.ts'
import { directId, roomConversationId } from '../../src/chat/rules/conversation-id.ts'
import { deleteMessage } from '../../src/chat/messages/delete-message.ts'
import { editMessage } from '../../src/chat/messages/edit-message.ts'
import { readHistory, writeHistoryJson } from '../../src/chat/messages/history.ts'
import { markRead } from '../../src/chat/conversations/mark-read.ts'
import { removeMember, setMemberRole } from '../../src/chat/rooms/room-members.ts'
import { changeRoom, createRoom } from '../../src/chat/rooms/room.ts'
import { sendCommon } from '../../src/chat/messages/send-common.ts'
import { sendTo } from '../../src/chat/messages/send-to.ts'
import { sendRoom } from '../../src/chat/messages/send-room.ts'
import { TidelogError } from '../../src/errors.ts'
import type { Message } from '../../src/schemas/message.ts'
import { startApp } from '../helpers/app.ts'
import { type State, apply, cursorsOf, nothing, shown } from '../helpers/follower.ts'
import { type TestPerson, catchUp, newPerson, syncOnce } from '../helpers/people.ts'
import type { Identity } from '../../src/users/identity.ts'

/** More for a long run: TIDELOG_RUNS=1000 npx tap test/sync/follow.test.ts */
const runs = Number(process.env['TIDELOG_RUNS'] ?? 25)

const test = await startApp(t, { RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0', RATE_LIMIT_REGISTER: '0' })
const { chat } = test.app

type Step =
  | { type: 'direct' | 'room' | 'common' | 'remove' | 'invite' | 'read' | 'block' | 'unblock', by: number, with: number, room: number }
  | { type: 'edit' | 'delete', by: number, target: number }
  | { type: 'rename' | 'history', room: number, value: number }
  | { type: 'sync', follower: number }

const by = fc.nat(2)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constantFrom('direct' as const, 'room' as const, 'room' as const, 'common' as const), by, with: by, room: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('edit' as const, 'delete' as const), by, target: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('remove' as const, 'invite' as const, 'invite' as const, 'read' as const, 'read' as const), by, with: by, room: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('block' as const, 'unblock' as const), by, with: by, room: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('rename' as const, 'history' as const), room: fc.nat(1), value: fc.nat(2) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('sync' as const), follower: fc.nat(2) }) }
)

/** A client that follows at its own pace. */
interface Follower {
  person: TestPerson
  state: State
  limit: number
  calls: Promise<void>
}

class World {
  readonly people: TestPerson[]
  readonly rooms: string[]
  readonly followers: Follower[]
  private readonly sent: string[] = []

  constructor (people: TestPerson[], rooms: string[], limits: number[]) {
    this.people = people
    this.rooms = rooms
    this.followers = people.map((person, index) => ({ person, state: nothing, limit: limits[index]!, calls: Promise.resolve() }))
  }

  /** Refusals are a part of life here: somebody writes to whoever has blocked them, or where they were removed. */
  async run (step: Step): Promise<void> {
    try {
      await this.act(step)
    } catch (error) {
      if (!(error instanceof TidelogError) || error.status >= 500) throw error
    }
  }

  private async act (step: Step): Promise<void> {
    if (!('by' in step)) return await this.actElsewhere(step)
    const { identity } = this.people[step.by]!
    if ('target' in step) {
      const messageId = this.sent[step.target % Math.max(1, this.sent.length)]
      if (messageId === undefined) return
      await (step.type === 'edit' ? editMessage(chat, identity, { messageId, content: `edited by ${step.target}` }) : deleteMessage(chat, identity, { messageId }))
      return
    }
    await this.actOn(identity, this.people[step.with]!, step)
  }

  private async actElsewhere (step: Exclude<Step, { by: number }>): Promise<void> {
    if (step.type === 'sync') this.follow(step.follower)
    else {
      const set = step.type === 'rename' ? { name: `name ${step.value}` } : { history: step.value === 0 ? 'joined' as const : 'all' as const }
      await changeRoom(chat, this.people[0]!.identity, this.rooms[step.room]!, set)
    }
  }

  private async actOn (identity: Identity, other: TestPerson, step: Extract<Step, { with: number }>): Promise<void> {
    const roomId = this.rooms[step.room]!
    const content = `said ${this.sent.length}`
    switch (step.type) {
      case 'direct': return this.keep(await sendTo(chat, identity, { receiverId: other.id, content }))
      case 'room': return this.keep(await sendRoom(chat, identity, { roomId, content }))
      case 'common': return this.keep(await sendCommon(chat, identity, { content }))
      case 'remove': return await removeMember(chat, this.people[0]!.identity, roomId, other.id)
      case 'invite':
        await setMemberRole(chat, this.people[0]!.identity, roomId, other.id, 'member')
        break
      case 'read':
        await markRead(chat, identity, { conversationId: step.room === 0 ? directId(identity.userId, other.id) : roomConversationId(roomId), seq: 1 + step.with * 4 })
        break
      case 'block': return await setBlock(chat, identity, other.id, true)
      case 'unblock': return await setBlock(chat, identity, other.id, false)
    }
  }

  private keep ({ message }: { message: { _id: string } }): void {
    this.sent.push(message._id)
  }

  /** One call, behind the follower's others and beside everything else. */
  private follow (index: number): void {
    const follower = this.followers[index]!
    follower.calls = follower.calls.then(async () => {
      follower.state = apply(follower.state, await syncOnce(test, follower.person, { cursors: cursorsOf(follower.state), limit: follower.limit }))
    })
  }
}

/** What anybody is told who asks for everything now: the whole history of what the follower has, through the pages of history. */
async function everything ({ person, state }: Follower): Promise<State> {
  let fresh = await catchUp(test, person)
  for (const [id, held] of Object.entries(fresh.conversations)) {
    if (id === 'self') continue
    const { messages } = JSON.parse(writeHistoryJson(await readHistory(chat, person.identity, id, { limit: 500 })).toString()) as { messages: Message[] }
    const mine = state.conversations[id]?.messages ?? {}
    // What was there before a follower's first page is for it to ask of the history.
    const first = Math.min(...Object.values(mine).map(({ seq }) => seq))
    const whole = Object.fromEntries(messages.filter(({ seq }) => seq >= first).map(message => [message._id, message]))
    fresh = { ...fresh, conversations: { ...fresh.conversations, [id]: { ...held, messages: { ...held.messages, ...whole } } } }
  }
  return fresh
}

t.test('I3 I4: after any changes and at any page size, a follower holds what a fresh sync gives', { timeout: 0 }, async t => {
  const history = fc.record({
    limits: fc.array(fc.constantFrom(1, 2, 3, 500), { minLength: 3, maxLength: 3 }),
    steps: fc.array(step, { minLength: 10, maxLength: 60 })
  })
  await fc.assert(fc.asyncProperty(history, async ({ limits, steps }) => {
    const people = [await newPerson(test), await newPerson(test), await newPerson(test)]
    const rooms = [0, 1].map(async () => (await createRoom(chat, people[0]!.identity, { name: 'Room', isPrivate: true })).roomId)
    const world = new World(people, await Promise.all(rooms), limits)
    // Some at once, some after another.
    for (let start = 0; start < steps.length;) {
      const together = steps.slice(start, start + 1 + start % 4)
      start += together.length
      await Promise.all(together.map(async step => { await world.run(step) }))
    }
    for (const follower of world.followers) {
      await follower.calls
      follower.state = await catchUp(test, follower.person, follower.state, follower.limit)
      const now = await everything(follower)
      deepEqual(shown(follower.state), shown(now))
    }
  }), { numRuns: runs, endOnFailure: true })
  t.pass(`${runs} histories`)
})
