import { setTimeout as delay } from 'node:timers/promises'
import { type Cast } from './cast.ts'

/** Failed logins after which a deployment must have refused one. The default limit is 20 a minute. */
const loginsMax = 30
/** Operations after which a deployment must have refused one. The default limit is 3,000 in ten seconds. */
const sendsMax = 3_600
const bodyBytes = 2 * 1024 * 1024

/** Excess requests are refused, with the time after which a retry succeeds. */
export async function limits (cast: Cast): Promise<void> {
  await tooLarge(cast)
  await logins(cast)
  await sends(cast)
}

async function tooLarge ({ sheet, rest, ada, bob }: Cast): Promise<void> {
  const body = JSON.stringify({ receiverId: bob.id, content: 'x'.repeat(bodyBytes) })
  const answer = await rest.call('POST', '/api/messages', ada.token, undefined, { body, headers: { 'content-type': 'application/json' } })
  if (answer?.status === 400) sheet.skip(`413: the deployment reads bodies of ${bodyBytes} bytes (REQUEST_BYTES_MAX)`)
  // A server may close the connection instead of reading the body.
  else sheet.that('a body that is too large is 413 TOO_LARGE', answer === undefined || (answer.status === 413 && answer.code === 'TOO_LARGE' && answer.body.success === false), answer)
  const operations = Array.from({ length: 101 }, (_, index) => ({ opId: String(index), type: 'markRead', conversationId: 'common_chat', seq: 1 }))
  sheet.is('more than 100 operations are refused', await rest.call('POST', '/api/sync/push', ada.token, { operations }), { status: 400, code: 'VALIDATION' })
  for (const limit of [0, 501, 1.5, -1, '7']) {
    sheet.is(`a sync of ${limit} changes is refused`, await rest.call('POST', '/api/sync', ada.token, { limit }), { status: 400, code: 'VALIDATION' })
    sheet.is(`a sync-conversation of ${limit} messages is refused`, await rest.call('POST', '/api/messages/sync-conversation', ada.token, { otherUserId: bob.id, limit }), { status: 400, code: 'VALIDATION' })
  }
  sheet.is('without otherUserId a sync-conversation says so', await rest.call('POST', '/api/messages/sync-conversation', ada.token, {}), { status: 400, body: { success: false, message: 'otherUserId is required' } })
}

async function logins (cast: Cast): Promise<void> {
  const { sheet, rest } = cast
  const username = cast.name('nobody')
  for (let number = 0; number < loginsMax; number++) {
    const answer = await rest.exchange('POST', '/api/auth/login', { body: JSON.stringify({ username, password: 'wrong' }), headers: { 'content-type': 'application/json' } })
    if (answer?.status === 404) return sheet.skip('failed logins: the deployment has none')
    if (answer?.status !== 429) continue
    sheet.is('too many failed logins are 429', JSON.parse(answer.text), { success: false, code: 'RATE_LIMITED', message: /./, retryable: true })
    sheet.that('a 429 says when to come again', Number(answer.headers.get('retry-after')) >= 1, answer.headers.get('retry-after'))
    return sheet.is('other accounts are not held back', await rest.call('POST', '/api/auth/login', undefined, { username: `${username}-2`, password: 'wrong' }), { status: 401 })
  }
  sheet.skip(`failed logins: ${loginsMax} of them are not limited (RATE_LIMIT_LOGIN)`)
}

/** Edits without a change count as operations and write nothing. */
async function sends (cast: Cast): Promise<void> {
  const { sheet, bob } = cast
  const dan = await cast.somebody()
  if (dan === undefined) return sheet.skip('messages in 10 seconds: nobody can register to be limited')
  const phone = await cast.phone(dan)
  let limited: { retryAfterMs?: number } | undefined
  for (let start = 0; start < sendsMax && limited === undefined; start += 100) {
    const operations = Array.from({ length: 100 }, (_, index) => ({ opId: String(index), type: 'edit', messageId: (start + index).toString(16).padStart(24, 'e'), content: 'of nothing' }))
    const { results } = (await phone.ask('push', { operations }) ?? {}) as { results?: Array<{ code?: string, retryAfterMs?: number }> }
    limited = results?.find(({ code }) => code === 'RATE_LIMITED')
  }
  if (limited === undefined) return sheet.skip(`messages in 10 seconds: ${sendsMax} of them are not limited (RATE_LIMIT_SENDS)`)
  const message = { receiverId: bob.id, content: 'too much', clientMessageId: cast.name('m') }
  const answer = await cast.call(dan, 'POST', '/api/messages', message)
  sheet.is('a limited operation of a push can be tried again', limited, { success: false, code: 'RATE_LIMITED', retryable: true })
  sheet.is('the limit holds over REST, with 429', answer, { status: 429, body: { success: false, code: 'RATE_LIMITED', retryable: true } })
  const ack = await phone.ask('sendDirectMessage', message)
  sheet.is('the limit holds over a socket', ack, { success: false, code: 'RATE_LIMITED', retryable: true })
  for (const { retryAfterMs } of [limited, answer, ack ?? {}]) sheet.that('a limit says when to come again', typeof retryAfterMs === 'number' && retryAfterMs > 0, retryAfterMs)
  sheet.is('others are not held back', await cast.call(bob, 'POST', '/api/messages', { receiverId: cast.ada.id, content: 'not limited' }), { status: 201 })
  if (answer.retryAfterMs > 2 * cast.patienceMs) return sheet.skip(`a message after the limit: it ends after ${answer.retryAfterMs} ms`)
  await delay(answer.retryAfterMs + 50)
  sheet.is('after that time the same message is taken, once', await cast.call(dan, 'POST', '/api/messages', message), { status: 201, body: { duplicate: undefined } })
}
