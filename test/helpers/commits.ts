import type { MongoClient } from 'mongodb'
import type { Test } from 'tap'

/** Keeps the acknowledgement of the next commit back: it is applied, and who committed it does not know. */
export function holdCommit (t: Test, client: MongoClient): { isApplied: Promise<void>, acknowledge: () => void } {
  let acknowledge!: () => void
  const acknowledged = new Promise<void>(resolve => { acknowledge = resolve })
  const startSession = client.startSession.bind(client)
  const restore = () => { client.startSession = startSession }
  t.teardown(restore)
  const isApplied = new Promise<void>(resolve => {
    // Reads have sessions too, which never commit.
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
