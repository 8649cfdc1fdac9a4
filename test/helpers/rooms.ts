import type { Test } from 'tap'
import { startApp } from './app.ts'
import type { Registered } from './register.ts'

export type User = Registered

/** A server with an administrator and four users, and what users do with rooms over REST. */
export async function startRooms (t: Test) {
  const test = await startApp(t, { ADMIN_USERS: 'root' })
  const { register } = test
  const as: typeof test.as = user => (method, path, body) => test.as(user)(method, `/rooms${path}`, body)
  return {
    ...test,
    root: await register('root'),
    ann: await register('ann'),
    bob: await register('bob'),
    eve: await register('eve'),
    dan: await register('dan'),
    /** Calls below `/api/rooms`. */
    as,
    /** Creates a room. @returns its id */
    make: async (owner: User, fields: object = {}) =>
      (await as(owner)('POST', '', { name: 'a room', ...fields })).body.room.roomId as string,
    invite: async (owner: User, roomId: string, user: User, role = 'member') =>
      await as(owner)('PUT', `/${roomId}/members/${user.id}`, { role }),
    say: async (user: User, roomId: string, content: string) =>
      (await as(user)('POST', `/${roomId}/messages`, { content })).body.message
  }
}
