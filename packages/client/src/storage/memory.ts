import { type Held, applyBatch, loadHeld, nothingHeld, rowsHeld } from './apply-batch.ts'
import type { Storage, StoredSession } from './storage.ts'

/** Keeps everything until the program ends. */
export function memoryStorage (): Storage {
  const accounts = new Map<string, Held>()
  let session: StoredSession | null = null
  return {
    session: async () => session,
    setSession: async given => { session = given },
    open: async userId => {
      const held = () => {
        const account = accounts.get(userId) ?? nothingHeld()
        accounts.set(userId, account)
        return account
      }
      return {
        load: async () => loadHeld(held()),
        rows: async (id, from, to, limit) => rowsHeld(held(), id, from, to, limit),
        count: async () => [...held().rows.values()].reduce((sum, rows) => sum + rows.size, 0),
        file: async key => held().files.get(key),
        commit: async batch => applyBatch(held(), batch),
        takeOver: async () => ++held().term,
        clear: async () => { accounts.delete(userId) },
        close: () => {}
      }
    },
    close: () => {}
  }
}
