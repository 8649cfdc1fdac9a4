import type { MongoClient } from 'mongodb'
import type { Test } from 'tap'

/** Withholds the reply to the next commit: the database applies it, and the caller does not know. */
export function holdCommit (t: Test, client: MongoClient): { isApplied: Promise<void>, acknowledge: () => void } {
  let acknowledge!: () => void
  const acknowledged = new Promise<void>(resolve => { acknowledge = resolve })
  const startSession = client.startSession.bind(client)
  const restore = () => { client.startSession = startSession }
  t.teardown(restore)
  const isApplied = new Promise<void>(resolve => {
    // Reads use sessions too, but never commit.
    client.startSession = options => {
      const session = startSession(options)
      const commit = session.commitTransaction.bind(session)
      session.commitTransaction = async () => {
        restore()
        await commit()
        resolve()
        await acknowledged
      }
      return session
    }
  })
  return { isApplied, acknowledge }
}
