import t from 'tap'
import type { SyncBody } from '../../../src/schemas/sync.ts'
import type { Message } from '../../../src/schemas/message.ts'
import type { PushResult } from '../../../src/schemas/push.ts'
import type { WireAnswer, WireMessage, WireResult } from '../src/pure/wire.ts'

/** The compiler refuses this file if the server's schemas and what this package reads of them drift apart. */
const answer = (body: SyncBody): WireAnswer => body
const message = (payload: Message): WireMessage => payload
const result = (given: PushResult): WireResult => given

t.test('the fields that this package reads from the wire are in the server\'s schemas', async t => {
  t.equal(answer({ success: true, conversations: [], hasMore: false, serverTime: '' }).hasMore, false)
  t.type(message, 'function')
  t.match(result({ opId: '1', success: true }), { success: true })
})
