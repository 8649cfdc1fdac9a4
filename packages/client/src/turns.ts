import { locks } from './engine/tabs.ts'

export type Turns = <T>(work: () => Promise<T>) => Promise<T>

/** Does one piece of work after another, whatever becomes of each. */
export function inTurns (): Turns {
  let last: Promise<unknown> = Promise.resolve()
  return work => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }
}

/** The same over all tabs that share a storage, if the browser has locks. */
export function inTurnsOfTabs (name: string | undefined): Turns {
  const inTurn = inTurns()
  return async work => {
    const held = locks()
    return name === undefined || held === undefined ? await inTurn(work) : await held.request(name, {}, work)
  }
}
