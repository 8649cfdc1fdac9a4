import { ERRORS, type Lock, type Locker, MemoryLocker, type RequestRelease } from '@tus/server'
import { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { FilesContext } from './context.ts'

/**
 * One request at a time writes to an upload: two would overwrite each other's bytes, and those of a complete file.
 *
 * Within a process the library's lock prevents that. A later request takes it over from an earlier one whose connection
 * broke silently. Between nodes the lock is a lease in the row of the file. A node gives its lease up soon if another
 * node wants it; a dead node loses it. But a node that seems dead may only be suspended. So a node that takes over a
 * lease first fences the blob, and a writer checks that it still has the lease once it knows where it writes.
 */

/** Milliseconds after which a lease that was not renewed can be taken over. Clocks of nodes must differ by less. */
const leaseMs = 20_000
/** How often a node renews its lease, and reads whether another node wants it. */
const renewEveryMs = 1_000
/** A holder that could not renew its lease ends its request, which takes `drainMs`, well before the lease ends. */
const unrenewedMsMax = 10_000
/** Milliseconds that a request which loses its lock has to end by itself. */
export const drainMs = 1_000

/** Milliseconds after which another node has probably ended its request of the same upload. */
const lockedMs = 2_000

type Locking = Pick<FilesContext, 'files' | 'blobs' | 'now' | 'nodeId'>
type Leasing = Locking & { nodeId: string }

const heldElsewhere = () => new TidelogError('LOCKED', undefined, { retryAfterMs: lockedMs })

/** The locks of a node that has the database for itself, or of one among several. */
export function uploadLocks ({ nodeId, ...context }: Locking): Locker {
  const local = new MemoryLocker()
  if (nodeId === undefined) return local
  return { newLock: id => new LeasedLock(local.newLock(id), new ObjectId(id), { ...context, nodeId }) }
}

/**
 * Ends what writes to an upload, and lets nothing write to it while `run` does its work.
 * @throws TidelogError LOCKED while another node writes to it, which it will end soon
 */
export async function withUploadLocked<R> (
  { locks }: Pick<FilesContext, 'locks'>, id: ObjectId, run: () => Promise<R>
): Promise<R> {
  const lock = locks.newLock(id.toHexString())
  await lock.lock(new AbortController().signal, () => {}).catch((error: unknown) => {
    throw error === ERRORS.ERR_LOCK_TIMEOUT ? heldElsewhere() : error
  })
  try {
    return await run()
  } finally {
    await lock.unlock()
  }
}

/**
 * Makes sure that an upload is there, and may be written to by the request of this node that has its lock.
 * @throws TidelogError NOT_FOUND, LOCKED
 */
export async function requireLocked (
  { files, nodeId }: Pick<FilesContext, 'files' | 'nodeId'>, _id: ObjectId
): Promise<void> {
  const row = await files.findOne({ _id, state: { $ne: 'gone' } }, { projection: { lease: 1 } })
  if (row === null) throw new TidelogError('NOT_FOUND')
  if (nodeId !== undefined && row.lease?.nodeId !== nodeId) throw heldElsewhere()
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
    const { files } = this.leasing
    // If that fails, the lease ends by itself, and this node can take it again before.
    await files.updateOne(this.mine(), { $unset: { lease: '' } }).catch(() => {})
    await this.local.unlock()
  }

  /** @throws TidelogError LOCKED */
  private async take (): Promise<void> {
    const { files, blobs, now, nodeId } = this.leasing
    const _id = this.id
    const isFree = [{ lease: { $exists: false } }, { 'lease.nodeId': nodeId, 'lease.isUnfenced': { $ne: true } }]
    const { matchedCount } = await files.updateOne({ _id, $or: isFree }, { $set: { lease: this.lease() } })
    if (matchedCount === 1) return
    // Of another node, which may only sleep; or taken by this one, which could not put the fence.
    const isOver = [{ 'lease.until': { $lte: new Date(now()) } }, { 'lease.nodeId': nodeId, 'lease.isUnfenced': true }]
    const unfenced = { ...this.lease(), isUnfenced: true }
    const taken = await files.updateOne({ _id, $or: isOver }, { $set: { lease: unfenced } })
    if (taken.matchedCount === 1) {
      await blobs.fence(_id.toHexString())
      const fenced = await files.updateOne({ _id, 'lease.nodeId': nodeId }, { $set: { lease: this.lease() } })
      if (fenced.matchedCount === 1) return
    }
    await files.updateOne({ _id, lease: { $exists: true } }, { $set: { 'lease.isWanted': true } })
    // If there is no such file, the store says so.
    if (await files.countDocuments({ _id }) === 1) throw heldElsewhere()
  }

  /** False: another node wants it, or has it. */
  private async renew (): Promise<boolean> {
    const { files } = this.leasing
    const unwanted = { ...this.mine(), 'lease.isWanted': { $ne: true } }
    return (await files.updateOne(unwanted, { $set: { lease: this.lease() } })).matchedCount === 1
  }

  private mine () {
    return { _id: this.id, 'lease.nodeId': this.leasing.nodeId, 'lease.isUnfenced': { $ne: true } }
  }

  private lease () {
    const { now, nodeId } = this.leasing
    return { nodeId, until: new Date(now() + leaseMs) }
  }
}
