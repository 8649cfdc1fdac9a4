import { createHmac } from 'node:crypto'
import { ObjectId } from 'mongodb'

/** Signs the tokens of a run. The server under test gets it as JWT_SECRET. */
export const secret = 'benchmark-secret-of-no-worth-0123456789'

/** A user of a run, by index; the same in every database. */
export interface Person {
  index: number
  /** 24 hexadecimal digits. */
  id: string
  token: string
}

export function person (index: number): Person {
  const id = `b0000000${index.toString(16).padStart(16, '0')}`
  return { index, id, token: sign({ id }) }
}

export function people (count: number): Person[] {
  return Array.from({ length: count }, (_, index) => person(index))
}

/** The id of two users' direct conversation. */
export function directId (a: Person, b: Person): string {
  return a.id < b.id ? `dm_${a.id}_${b.id}` : `dm_${b.id}_${a.id}`
}

/** The user's row. No benchmark logs in with a password. */
export function userRow ({ id, index }: Person) {
  const at = new Date(Date.now() - 86_400_000)
  return {
    _id: new ObjectId(id),
    fullName: `Bench User ${index}`,
    username: `bench_user_${index}`,
    email: `bench_${index}@example.com`,
    profilePicture: null,
    isActive: true,
    createdAt: at,
    updatedAt: at
  }
}

/** The fields of a user in every payload. */
export function publicUser ({ id, index }: Person) {
  return { _id: id, fullName: `Bench User ${index}`, username: `bench_user_${index}`, profilePicture: null }
}

function sign (payload: object): string {
  const now = Math.floor(Date.now() / 1_000)
  const body = [{ alg: 'HS256', typ: 'JWT' }, { ...payload, iat: now, exp: now + 86_400 }]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
}
