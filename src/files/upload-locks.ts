import { type Lock, type Locker, MemoryLocker, type RequestRelease } from '@tus/server'
import { ObjectId } from 'mongodb'
import type { FilesContext } from './context.ts'

/**
 * One request at a time writes to an upload: two would write over each other's bytes, and over those of a file that is
 * whole already. Within a process the library's lock does it, which a later request takes over from an earlier one
 * whose link broke silently. Between nodes it is a lease in the row of the file. A node whose lease is wanted by
 * another gives it up soon; one that is dead loses it.
 */

/** Milliseconds after which a lease that was not renewed can be taken over. Clocks of nodes must differ by less. */
const leaseMs = 20_000
/** A lease is renewed that often, and looked at whether another node wants it. */
const renewEveryMs = 1_000
/** A holder that could not renew its lease ends its request, which takes `drainMs`, well before the lease ends. */
const unrenewedMsMax = 10_000
/** Milliseconds that a request which loses its lock has to end by itself. */
export const drainMs = 1_000

type Leasing = Pick<FilesContext, 'files' | 'now'> & { nodeId: string }

/** What the library turns into its answer. */
const heldElsewhere = { status_code: 423, body: 'Another server is writing to this upload\n' }

/** The locks of a node that has the database for itself, or of one among several. */
export function uploadLocks ({ files, now, nodeId }: FilesContext): Locker {
  const local = new MemoryLocker()
  if (nodeId === undefined) return local
  return { newLock: id => new LeasedLock(local.newLock(id), new ObjectId(id), { files, now, nodeId }) }
}

class LeasedLock implements Lock {
  private readonly local: Lock
  private readonly id: ObjectId
  private readonly leasing: Leasing
  private renewing: NodeJS.Timeout | undefined

  constructor (local: Lock, id: ObjectId, leasing: Leasing) {
    this.local = local
    this.id = id
    this.leasing = leasing
  }

  async lock (signal: AbortSignal, requestRelease: RequestRelease): Promise<void> {
    await this.local.lock(signal, requestRelease)
    try {
      await this.take()
    } catch (error) {
      await this.local.unlock()
      throw error
    }
    let renewedAt = performance.now()
    const renew = async () => {
      // Nothing tells this from a lease that another node has taken.
      if (performance.now() - renewedAt > unrenewedMsMax) await requestRelease()
      if (await this.renew()) renewedAt = performance.now()
      else await requestRelease()
    }
    this.renewing = setInterval(() => { renew().catch(() => {}) }, renewEveryMs)
  }

  async unlock (): Promise<void> {
    clearInterval(this.renewing)
    const { files, nodeId } = this.leasing
    // If that fails, the lease ends by itself, and this node can take it again before.
    await files.updateOne({ _id: this.id, 'lease.nodeId': nodeId }, { $unset: { lease: '' } }).catch(() => {})
    await this.local.unlock()
  }

  /** @throws heldElsewhere */
  private async take (): Promise<void> {
    const { files, now, nodeId } = this.leasing
    const isFree = [
      { lease: { $exists: false } }, { 'lease.nodeId': nodeId }, { 'lease.until': { $lte: new Date(now()) } }
    ]
    const { matchedCount } = await files.updateOne({ _id: this.id, $or: isFree }, { $set: { lease: this.lease() } })
    if (matchedCount === 1) return
    await files.updateOne({ _id: this.id, lease: { $exists: true } }, { $set: { 'lease.isWanted': true } })
    // If there is no such file, the store says so.
    if (await files.countDocuments({ _id: this.id }) === 1) throw heldElsewhere
  }

  /** False: another node wants it, or has it. */
  private async renew (): Promise<boolean> {
    const { files, nodeId } = this.leasing
    const mine = { _id: this.id, 'lease.nodeId': nodeId, 'lease.isWanted': { $ne: true } }
    return (await files.updateOne(mine, { $set: { lease: this.lease() } })).matchedCount === 1
  }

  private lease () {
    const { now, nodeId } = this.leasing
    return { nodeId, until: new Date(now() + leaseMs) }
  }
}
