import { ClientSession, type Document, type MongoClient, type ObjectId, type Timestamp } from 'mongodb'

/** What the answer of a member of a replica set says of it. */
interface Hello {
  isWritablePrimary?: boolean
  electionId?: ObjectId
  lastWrite?: { opTime?: { ts: Timestamp } }
}

/**
 * Makes every read of a client see what the client has seen before, and what it has committed, whoever leads the
 * database by then. A leader that was just elected has everything that a majority has, but does not know yet how much
 * that is, and until it does its majority reads are older. A page that is older than the head that was read before it
 * would lose messages: its cursor stands for the head.
 *
 * The driver has this for the operations of one session (causal consistency): each names the time of the latest reply
 * in `afterClusterTime`, and the database waits until it can show that. Here all sessions share the time, those that
 * the driver opens by itself too. Without an election no read waits, because replies to majority reads and writes tell
 * no time that their server does not know a majority to have. Statements of a transaction do, so they do not count
 * until it is committed.
 *
 * `advanceOperationTime` of any session makes the client see what another process has committed.
 *
 * What this process has not heard of is seen too: a leader writes to its log before it takes part, behind all that a
 * majority had. The driver learns of a leader from its `hello`, which tells the time of its last write, and reads from
 * it afterwards. So the first `hello` of a leader counts as seen. Reads then wait, once, until a majority has that.
 */
export function readCausally (client: MongoClient): void {
  let seen: Timestamp | undefined
  const see = (time: Timestamp | undefined) => {
    if (time !== undefined && (seen === undefined || time.greaterThan(seen))) seen = time
  }
  let election: string | undefined
  client.on('serverHeartbeatSucceeded', ({ reply }: { reply: Document }) => {
    const { isWritablePrimary, electionId, lastWrite } = reply as Hello
    const name = electionId?.toHexString()
    if (isWritablePrimary !== true || name === undefined || name === election) return
    election = name
    see(lastWrite?.opTime?.ts)
  })
  // Each operation has a session: these functions are made once for all of them.
  const { advanceOperationTime, commitTransaction } = ClientSession.prototype
  function advance (this: ClientSession, time: Timestamp): void {
    advanceOperationTime.call(this, time)
    if (!this.inTransaction()) see(time)
  }
  async function commit (this: ClientSession): Promise<void> {
    await commitTransaction.call(this)
    see(this.operationTime)
  }
  const start = client.startSession.bind(client)
  client.startSession = options => {
    const session = start({ ...options, causalConsistency: true })
    if (seen !== undefined) session.operationTime = seen
    session.advanceOperationTime = advance
    session.commitTransaction = commit
    return session
  }
}
