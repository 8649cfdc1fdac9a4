import type { Document } from 'mongodb'
import type { Test } from 'tap'
import type { LogCollections } from '../../src/log/model/collections.ts'

/** What reads the log of an app with SEARCH=off: otherwise the index of words reads it too, at its own times. */

/** The log's collections that are read until the end of the test, one entry per read. */
export function watchReads (t: Test, collections: LogCollections): string[] {
  const used: string[] = []
  for (const name of ['rows', 'members', 'heads'] as const) {
    const collection = collections[name]
    const find = collection.find.bind(collection)
    t.teardown(() => { collection.find = find })
    collection.find = ((...given: []) => {
      used.push(name)
      return find(...given)
    }) as typeof find
  }
  watchScans(t, collections, () => { used.push('rows') })
  return used
}

/** Calls `act` once before a page of this conversation is read, and waits for it. */
export function beforeScan (t: Test, collections: LogCollections, conversationId: string, act: () => Promise<unknown>): void {
  let isDone = false
  watchScans(t, collections, async filter => {
    if (isDone || filter['conversationId'] !== conversationId) return
    isDone = true
    await act()
  })
}

/** Calls `see` with the filter of each page scan before the page is read, and waits for it. */
function watchScans (t: Test, { rows: { db } }: LogCollections, see: (filter: Document) => unknown): void {
  const command = db.command.bind(db)
  t.teardown(() => { db.command = command })
  db.command = async (asked, options) => {
    if (asked['find'] === 'log') await see(asked['filter'] as Document)
    return await command(asked, options)
  }
}
