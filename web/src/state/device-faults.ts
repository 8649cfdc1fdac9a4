import type { Clock, Storage } from '@tidelog/client'
import { signal } from '@preact/signals'

type AccountStorage = Awaited<ReturnType<Storage['open']>>
export type Stored = Awaited<ReturnType<AccountStorage['load']>>

/** Minutes by which this device's clock is wrong. */
export const skewMinutes = signal(0)
/** The device stores nothing more. */
export const isFull = signal(false)

const minuteMs = 60_000

export const skewedClock: Clock = {
  now: () => Date.now() + skewMinutes.peek() * minuteMs,
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms)
    return () => {
      clearTimeout(timer)
    }
  }
}

let opened: AccountStorage | undefined

/** What is stored now, read anew, all but the messages; undefined: nobody is signed in. */
export const readStored = async (): Promise<Stored | undefined> => await opened?.load()

/** A storage that can be full. */
export function faultyStorage (inner: Storage): Storage {
  return {
    sharedAs: inner.sharedAs,
    session: () => inner.session(),
    setSession: session => inner.setSession(session),
    open: async userId => {
      opened = await inner.open(userId)
      return faultyAccount(opened)
    },
    close: () => {
      inner.close()
    }
  }
}

function faultyAccount (account: AccountStorage): AccountStorage {
  return {
    load: () => account.load(),
    rows: (...given) => account.rows(...given),
    count: () => account.count(),
    file: key => account.file(key),
    commit: async batch => {
      if (isFull.peek()) throw new DOMException('The fault drawer says that it is full', 'QuotaExceededError')
      return await account.commit(batch)
    },
    takeOver: () => account.takeOver(),
    clear: () => account.clear(),
    close: () => {
      if (opened === account) opened = undefined
      account.close()
    }
  }
}
