import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type Rest, isTransient } from './rest.ts'

export interface Person {
  id: string
  token: string
  name: string
}

/** Registers temporary users, or uses those of the given tokens. @throws if there are too few of them */
export async function people (rest: Rest, count: number, run: string, tokens: readonly string[]): Promise<Person[]> {
  if (tokens.length > 0) {
    if (tokens.length < count) throw new Error(`${count} tokens of different users are needed, ${tokens.length} were given`)
    return tokens.slice(0, count).map((token, index) => ({ id: idIn(token), token, name: `user-${index}` }))
  }
  const registered: Person[] = []
  for (let index = 0; index < count; index++) registered.push(await register(rest, `kit-${run}-${index}`))
  return registered
}

async function register (rest: Rest, username: string): Promise<Person> {
  const body = { fullName: `Conformance ${username}`, username, email: `${username}@example.org`, password: randomBytes(18).toString('base64url') }
  let answer: Answer | undefined
  for (let attempt = 0; attempt < 20; attempt++) {
    answer = await rest.call('POST', '/api/auth/register', undefined, body)
    if (answer?.status === 201) return { id: answer.body.user._id as string, token: answer.body.token as string, name: username }
    if (answer !== undefined && answer.status === 404) throw new Error('the deployment does not register users: give tokens of its own with --tokens')
    if (!isTransient(answer) || (answer?.retryAfterMs ?? 0) > 60_000) break
    await delay(Math.max(200, answer?.retryAfterMs ?? 0))
  }
  throw new Error(`registering ${username} was answered ${answer === undefined ? 'not at all' : `${answer.status} ${answer.code}`}`)
}

/** The user's id in a token's payload. */
function idIn (token: string): string {
  try {
    const { id } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { id?: unknown }
    if (typeof id === 'string') return id.toLowerCase()
  } catch {}
  throw new Error('a token given with --tokens has no payload with an id')
}

export function directId (a: string, b: string): string {
  return a < b ? `dm_${a}_${b}` : `dm_${b}_${a}`
}
