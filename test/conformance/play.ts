import { ObjectId } from 'mongodb'
import { History } from '../../conformance/history.ts'
import type { Person } from '../../conformance/people.ts'
import { Rest } from '../../conformance/rest.ts'
import { type RoundOptions, playScenes } from '../../conformance/scenes/index.ts'
import type { TestApp } from '../helpers/app.ts'
import { hs256 } from '../helpers/tokens.ts'
import { type Mutant, startProxy } from './proxy.ts'

const secret = 'a secret for the scenes'
/** What a server is started with that scenes are played against. */
export const environment = { JWT_SECRET: secret, RATE_LIMIT_REGISTER: '0', RATE_LIMIT_SENDS: '2000', PRESENCE_GRACE: '1' }
let count = 0

/** Four users of a host application: their passwords need no hashing. */
async function fourPeople ({ app }: TestApp): Promise<Person[]> {
  const rows = Array.from({ length: 4 }, (_, index) => ({ _id: new ObjectId(), fullName: `Somebody ${index}`, username: `somebody-${count}-${index}`, email: `somebody-${count}-${index}@example.org` }))
  await app.mongo.db!.collection('users').insertMany(rows)
  return rows.map(({ _id, username }) => ({ id: _id.toHexString(), token: hs256({ id: _id.toHexString() }, secret), name: username }))
}

/** Plays a scene, or all, against a server that is wrong in the way of the mutant. */
export async function play (t: { teardown: (end: () => Promise<void>) => void }, test: TestApp, mutant: Mutant, options: Pick<RoundOptions, 'patienceMs' | 'only' | 'onFinding'>): Promise<History> {
  const history = new History()
  const rest = new Rest(await startProxy(t, test.url, mutant), history)
  const run = `m${++count}`
  await playScenes({ history, rest, everybody: await fourPeople(test), common: false, run, registers: true, ...options })
  return history
}

/** Does it with each of a list, a few of them at once: most of the time is waiting. */
export async function fewAtOnce<T> (list: readonly T[], act: (one: T) => Promise<void>, atOnce = 6): Promise<void> {
  const left = [...list]
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await act(next)
  }))
}
