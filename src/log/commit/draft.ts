import type { Head, LogRow, Member } from '../model/types.ts'

/** What is known of the database before the plan. A key that maps to null is known not to exist. */
export interface PlanInput {
  heads: ReadonlyMap<string, Head | null>
  /** By hex id. */
  rows: ReadonlyMap<string, LogRow>
  /** By `memberKey`. */
  members: ReadonlyMap<string, Member>
}

export interface HeadWrite {
  /** The head that the transaction must still find; null: it must not exist. */
  from: Head | null
  to: Head
}

export interface RowWrite {
  /** The row as it was read; null for a new one. */
  from: LogRow | null
  to: LogRow
}

/** Working copies of what a batch has changed so far, over what is known. */
export class Draft {
  readonly heads = new Map<string, HeadWrite>()
  readonly rows = new Map<string, RowWrite>()
  readonly members = new Map<string, { from: Member | null, to: Member | null }>()
  private readonly known: PlanInput
  private readonly base: Draft | undefined

  constructor (known: PlanInput, base?: Draft) {
    this.known = known
    this.base = base
  }

  head (id: string): Head | null {
    return this.headMove(id)?.to ?? this.known.heads.get(id) ?? null
  }

  row (hex: string): LogRow | undefined {
    return this.rowWrite(hex)?.to ?? this.known.rows.get(hex)
  }

  member (key: string): Member | null {
    const written = this.members.get(key) ?? this.base?.members.get(key)
    return written === undefined ? this.known.members.get(key) ?? null : written.to
  }

  rowWrite (hex: string): RowWrite | undefined {
    return this.rows.get(hex) ?? this.base?.rows.get(hex)
  }

  moveHead (id: string, to: Head): void {
    const from = this.headMove(id)?.from
    this.heads.set(id, { from: from === undefined ? this.known.heads.get(id) ?? null : from, to })
  }

  writeRow (to: LogRow): void {
    const hex = to._id.toHexString()
    const written = this.rowWrite(hex)
    this.rows.set(hex, { from: written === undefined ? this.known.rows.get(hex) ?? null : written.from, to })
  }

  writeMember (key: string, to: Member | null): void {
    const written = this.members.get(key) ?? this.base?.members.get(key)
    this.members.set(key, { from: written === undefined ? this.known.members.get(key) ?? null : written.from, to })
  }

  /** Takes over what a unit's draft has written. */
  merge (draft: Draft): void {
    for (const [id, move] of draft.heads) this.heads.set(id, move)
    for (const [hex, write] of draft.rows) this.rows.set(hex, write)
    for (const [key, write] of draft.members) this.members.set(key, write)
  }

  private headMove (id: string): HeadWrite | undefined {
    return this.heads.get(id) ?? this.base?.heads.get(id)
  }
}
