import fc from 'fast-check'
import t from 'tap'
import { again, filesOf, isAbout } from '../../src/pure/outbox.ts'
import { isUploaded, nextUpload, plan, withUpload } from '../../src/pure/push.ts'
import type { StoredOperation, Work } from '../../src/pure/state.ts'

const files = fc.array(fc.boolean(), { maxLength: 3 })
const send = fc.record({ type: fc.constant('send' as const), files })
const change = fc.record({ type: fc.constantFrom('edit' as const, 'react' as const), about: fc.nat(9) })

/** Outboxes of two conversations: messages with and without files, and what is about them. */
const outboxes = fc.array(fc.record({
  conversationId: fc.constantFrom('one', 'two'),
  state: fc.constantFrom('queued' as const, 'queued' as const, 'failed' as const),
  work: fc.oneof(send, change)
}), { maxLength: 10 }).map(list => list.map(({ conversationId, state, work }, position): StoredOperation => ({
  position,
  version: 0,
  opId: String(position),
  conversationId,
  state,
  attempts: 0,
  createdAt: 0,
  work: workOf(work, position)
})))

function workOf (
  given: { type: 'send', files: boolean[] } | { type: 'edit' | 'react', about: number }, position: number
): Work {
  if (given.type === 'send') {
    const files = given.files.map((isUploaded, index) => ({ key: `${position}-${index}`, isUploaded }))
    return { type: 'send', clientMessageId: String(position), text: '', files }
  }
  // Of a message before it.
  const target = { clientMessageId: String(position === 0 ? -1 : given.about % position) }
  return given.type === 'edit'
    ? { type: 'edit', target, text: 'other' }
    : { type: 'react', target, emoji: '👍', on: true }
}

const isSend = ({ work }: StoredOperation) => work.type === 'send'

t.test('a message that waits for its files holds up only operations on itself', async t => {
  fc.assert(fc.property(outboxes, operations => {
    const chosen = plan(operations, 0)
    const held = operations.filter(isSend).filter(one => one.state === 'failed' || !isUploaded(one))
    for (const operation of chosen) {
      if (!isUploaded(operation)) return false
      const isHeld = held.some(({ conversationId, position, work }) => position < operation.position &&
        conversationId === operation.conversationId && work.type === 'send' && isAbout(operation, work))
      if (isHeld) return false
    }
    return ['one', 'two'].every(id => {
      const sends = operations.filter(operation => operation.conversationId === id && isSend(operation))
      const first = sends.find(operation => !held.includes(operation))
      return first === undefined || chosen.includes(first)
    })
  }))
  t.pass()
})

t.test('files are uploaded in the order of their messages, until all are there', async t => {
  fc.assert(fc.property(outboxes, operations => {
    let now = [...operations]
    const order: string[] = []
    for (let next = nextUpload(now); next !== undefined; next = nextUpload(now)) {
      const { operation, file } = next
      order.push(file.key)
      const known = withUpload(operation, file.key, { fileId: file.key, isUploaded: true })
      if (known.version !== operation.version + 1) return false
      now = now.map(other => other === operation ? known : other)
    }
    const wanted = operations.filter(({ state }) => state !== 'failed').flatMap(filesOf)
      .filter(({ isUploaded }) => isUploaded !== true).map(({ key }) => key)
    return order.join() === wanted.join()
  }))
  t.pass()
})

t.test('a retried message checks each of its files again', async t => {
  fc.assert(fc.property(outboxes, operations => operations
    .filter(({ state }) => state === 'failed')
    .every(operation => filesOf(again(operation)).every(({ isUploaded }) => isUploaded === false))))
  t.pass()
})
