import type { ObjectId } from 'mongodb'
import type { Head, LogRow, Member, Rev } from '../model/types.ts'

/** The stored values that a plan is made on. A head of null: the conversation does not exist. */
export interface PlanInput {
  heads: ReadonlyMap<string, Head | null>
  /** By `_id` in hex. */
  rows: ReadonlyMap<string, LogRow>
  /** By `memberKey`. */
  members: ReadonlyMap<string, Member>
}

export interface HeadWrite {
  /** The transaction must still find this head; null: it must find none. */
  from: Head | null
  to: Head
}

export interface RowWrite {
  /** The row as it was read; null: the row is new. */
  from: LogRow | null
  to: LogRow
}

/** A row that decided something and is not written itself: the transaction must find it as it was read. */
export interface ReliedRow {
  _id: ObjectId
  /** Undefined: it must find none. */
  rev: Rev | undefined
}

/** What a batch, or one unit over its batch (`base`), has changed so far. The rest is read from the plan's input. */
export class Draft {
  readonly heads = new Map<string, HeadWrite>()
  readonly rows = new Map<string, RowWrite>()
  readonly members = new Map<string, { from: Member | null, to: Member | null }>()
  private readonly relied = new Map<string, ReliedRow>()
  private readonly input: PlanInput
  private readonly base: Draft | undefined

  constructor (input: PlanInput, base?: Draft) {
    this.input = input
    this.base = base
  }

  head (id: string): Head | null {
    return this.headMove(id)?.to ?? this.input.heads.get(id) ?? null
  }

  row (hex: string): LogRow | undefined {
    return this.rowWrite(hex)?.to ?? this.input.rows.get(hex)
  }

  member (key: string): Member | null {
    const written = this.members.get(key) ?? this.base?.members.get(key)
    return written === undefined ? this.input.members.get(key) ?? null : written.to
  }

  rowWrite (hex: string): RowWrite | undefined {
    return this.rows.get(hex) ?? this.base?.rows.get(hex)
  }

  moveHead (id: string, to: Head): void {
    const from = this.headMove(id)?.from
    this.heads.set(id, { from: from === undefined ? this.input.heads.get(id) ?? null : from, to })
  }

  writeRow (to: LogRow): void {
    const hex = to._id.toHexString()
    const written = this.rowWrite(hex)
    this.rows.set(hex, { from: written === undefined ? this.input.rows.get(hex) ?? null : written.from, to })
  }

  writeMember (key: string, to: Member | null): void {
    const written = this.members.get(key) ?? this.base?.members.get(key)
    this.members.set(key, { from: written === undefined ? this.input.members.get(key) ?? null : written.from, to })
  }

  /**
   * Makes the plan depend on a row that it perhaps does not write. A primary just elected can give rows that are older
   * than the head read before them, which the head's filter does not notice.
   */
  relyOn (_id: ObjectId): void {
    const hex = _id.toHexString()
    this.relied.set(hex, { _id, rev: this.input.rows.get(hex)?.rev })
  }

  /** Those that are not written: a write guards its row itself. */
  reliedRows (): ReliedRow[] {
    return [...this.relied].flatMap(([hex, row]) => this.rows.has(hex) ? [] : [row])
  }

  /** Takes over what the draft of a unit has written. */
  merge (draft: Draft): void {
    for (const [id, move] of draft.heads) this.heads.set(id, move)
    for (const [hex, write] of draft.rows) this.rows.set(hex, write)
    for (const [key, write] of draft.members) this.members.set(key, write)
    for (const [hex, row] of draft.relied) this.relied.set(hex, row)
  }

  private headMove (id: string): HeadWrite | undefined {
    return this.heads.get(id) ?? this.base?.heads.get(id)
  }
}
