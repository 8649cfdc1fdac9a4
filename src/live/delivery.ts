import type { Head, LogRow, Member, Rev } from '../log/model/types.ts'
import type { TypingNotice } from '../connection/socket-types.ts'

/**
 * What subscribers are told at a rev: its row; `noop`, if the row has moved on to a later rev; or an event that must not
 * come before that rev.
 */
export type Delivery = RevDelivery | AfterDelivery
export type RevDelivery = { rev: Rev } & (RowDelivery | { kind: 'noop' })
export interface AfterDelivery { rev: Rev, kind: 'after', event: AfterEvent }

export interface RowDelivery {
  kind: 'row'
  row: LogRow
  /** The row is new; otherwise an earlier one was changed. */
  isNew: boolean
  /** The conversation as the commit left it. */
  head: Head | undefined
  /** The member whose membership the row tells of; undefined: they are none any more. */
  member: Member | undefined
}

export type AfterEvent =
  /** A read position moved. `socketId`: the socket that gets this as its acknowledgement. */
  | { name: 'read', member: Member, socketId: string | undefined }
  | { name: 'typing', notice: TypingNotice }
  /** A heartbeat found the conversation at this rev. */
  | { name: 'head' }

/** What was read of a gap. */
export interface GapFill {
  /** A delivery for each rev of it. Undefined: the conversation is gone, and the gap cannot be filled. */
  deliveries: Map<Rev, RevDelivery> | undefined
  /** The subscribers were compared with the members. */
  isVerified: boolean
}
