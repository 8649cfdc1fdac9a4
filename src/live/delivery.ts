import type { Head, LogRow, Member, Rev } from '../log/model/types.ts'
import type { TypingNotice } from '../connection/socket-types.ts'

/**
 * What subscribers get at a rev: its row; a `noop`, if the row has moved to a later rev; or an event that must not be
 * sent before that rev.
 */
export type Delivery = RevDelivery | AfterDelivery
export type RevDelivery = { rev: Rev } & (RowDelivery | { kind: 'noop' })
export interface AfterDelivery { rev: Rev, kind: 'after', event: AfterEvent }

export interface RowDelivery {
  kind: 'row'
  row: LogRow
  /** The row is new. False: an older row was changed. */
  isNew: boolean
  /** The head after the commit. */
  head: Head | undefined
  /** The member whose membership the row states. Undefined: the row ends it. */
  member: Member | undefined
  /** When this node heard of the commit, by `performance.now()`. Undefined: it read the row from the database. */
  heardAt?: number
}

export type AfterEvent =
  /** A read position moved. `socketId` is the socket that asked for it and gets an acknowledgement instead. */
  | { name: 'read', member: Member, socketId: string | undefined }
  | { name: 'typing', notice: TypingNotice }
  /** A heartbeat found that the conversation has this rev. */
  | { name: 'head' }

/** The result of reading a gap. */
export interface GapFill {
  /** A delivery for each rev of the gap. Undefined: the conversation is gone, and the gap cannot be filled. */
  deliveries: Map<Rev, RevDelivery> | undefined
  /** Were the subscribers compared with the members? */
  isVerified: boolean
}
