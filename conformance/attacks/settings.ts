import { setTimeout as delay } from 'node:timers/promises'
import type { Person } from '../people.ts'
import type { Stage } from '../stage.ts'

/** A value that one client sets. */
interface Setting {
  name: string
  values: readonly string[]
  set: (value: string) => [method: string, path: string, body?: unknown]
  /** The path that returns the value, and how to read it from the body. */
  path: string
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  read: (body: any) => string
}

/**
 * Changes settings again and again, and checks that acknowledged values persist: a room's name, a role, a block, a
 * user's name.
 */
export async function changeSettings (stage: Stage): Promise<void> {
  const [owner, guest] = stage.members as [Person, Person]
  const made = await insist(stage, owner, 'POST', '/api/rooms', { name: 'Settings', isPrivate: true })
  const roomId = made?.room?.roomId as string | undefined
  if (roomId === undefined) return
  const path = `/api/rooms/${roomId}`
  await insist(stage, owner, 'PUT', `${path}/members/${guest.id}`, {})
  await Promise.all(settingsOf(stage, path, owner, guest).map(async setting => { await change(stage, owner, setting) }))
}

function settingsOf ({ stranger, run }: Stage, path: string, owner: Person, guest: Person): Setting[] {
  return [
    { name: 'the name of a room', values: ['one', 'two', 'three'], set: name => ['PATCH', path, { name }], path, read: body => body.room.name as string },
    { name: 'the role of a member', values: ['moderator', 'member'], set: role => ['PUT', `${path}/members/${guest.id}`, { role }], path: `${path}/members`, read: body => (body.members as Array<{ user: { _id: string }, role: string }>).find(({ user }) => user._id === guest.id)?.role ?? 'none' },
    { name: 'a block', values: ['true', 'false'], set: on => [on === 'true' ? 'PUT' : 'DELETE', `/api/users/${stranger.id}/block`], path: `/api/users/${stranger.id}`, read: body => String(body.blocked) },
    { name: 'the own full name', values: [`Ada ${run}`, `Ada of ${run}`], set: fullName => ['PATCH', '/api/users/me', { fullName }], path: `/api/users/${owner.id}`, read: body => body.user.fullName as string }
  ]
}

async function change (stage: Stage, { token, id }: Person, { name, values, set, path, read }: Setting): Promise<void> {
  const random = stage.random.fork()
  const note = (kind: 'set' | 'unknown' | 'found', value: string) => { stage.history.settings.push({ key: `${name} of ${id} at ${path}`, kind, value }) }
  for (let number = 0; !stage.ending.aborted; number++) {
    const value = values[number % values.length]!
    const answer = await stage.nodes[0]!.call(...set(value).slice(0, 2) as [string, string], token, set(value)[2])
    if (answer === undefined || answer.status >= 500) note('unknown', value)
    else if (answer.status < 300) note('set', value)
    else if (answer.status !== 429) stage.history.faults.push({ at: Date.now(), what: `${name} could not be set: ${answer.status} ${answer.code}` })
    await delay(random.integer(50, 200))
    const found = await stage.nodes[0]!.call('GET', path, token)
    if (found?.status === 200) note('found', read(found.body))
  }
}

async function insist (stage: Stage, { token }: Person, method: string, path: string, body: unknown) {
  while (!stage.ending.aborted) {
    const answer = await stage.nodes[0]!.call(method, path, token, body)
    if (answer !== undefined && answer.status < 400) return answer.body
    await delay(200)
  }
}
