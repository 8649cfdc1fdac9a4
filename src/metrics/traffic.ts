import { Histogram } from '../lib/histogram.ts'
import type { CommittedBatch } from '../log/commit/committer.ts'

/** Counts the commits of this node, its sockets and its answers. */
export class Traffic {
  /** New messages, by the kind of their conversation. */
  readonly messages = { direct: 0, room: 0, common: 0 }
  /** Rows other than new messages: edits, deletes, reactions, memberships, settings, purges. */
  changes = 0
  /** Read positions that moved and are shown to others. */
  reads = 0
  /** Sockets that were admitted. */
  sockets = 0
  /** Answers to REST requests, by the class of their status. */
  readonly requests = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 }
  /** Seconds from a REST request to its answer. */
  readonly requestSeconds = new Histogram([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

  /** Counts a commit of this node; those of other nodes count there. */
  committed ({ rows, reads, isRemote }: CommittedBatch): void {
    if (isRemote === true) return
    this.reads += reads.length
    for (const { row, isNew } of rows) {
      if (!isNew || row.kind !== 'message') this.changes++
      else if (row.receiverId !== undefined) this.messages.direct++
      else if (row.roomId !== undefined) this.messages.room++
      else this.messages.common++
    }
  }

  /** @param mayWait the request may have waited for a change, so its time says nothing about the server */
  answered (status: number, seconds: number, mayWait: boolean): void {
    this.requests[`${Math.floor(status / 100)}xx` as '2xx']++
    if (!mayWait) this.requestSeconds.observe(seconds)
  }
}
