import { BSON, type ObjectId } from 'mongodb'
import type { CommittedBatch } from '../../src/log/commit/committer.ts'
import type { UnitOutcome, CommitUnit } from '../../src/log/commit/plan.ts'
import { type Head, type LogRow, type Member, memberKey } from '../../src/log/model/types.ts'
import type { Doc, FakeMongo } from './fake-mongo.ts'
import type { TimeReader } from './time-reader.ts'
import { direct } from './units.ts'

/** Every rev ever given, and what the invariants of the log say about it; `broken` lists what did not hold. */
export class Books {
  readonly broken: string[] = []
  /** By conversation, the rows in the order of their revs: `revs[rev - 1]`. */
  private readonly revs = new Map<string, Array<{ row: LogRow, isNew: boolean, commit: number }>>()
  private commits = 0
  private readonly deliveries = new Map<string, string>()
  private readonly newest = new Map<string, number>()
  private readonly readsDelivered = new Set<string>()

  /** Each commit, as it happens. */
  applied (writes: Array<{ table: string, from: Doc | null, to: Doc | null }>): void {
    this.commits++
    for (const { table, from, to } of writes) {
      if (table === 'conversations') {
        this.headMoved(
          from as Head | null, to as unknown as Head
        )
      }
    }
    const rows = writes.filter(({ table, to }) => table === 'log' && to !== null).map(
      ({ from, to }) => ({ from: from as LogRow | null, row: to as unknown as LogRow })
    )
    for (const { from, row } of rows.sort((a, b) => a.row.rev - b.row.rev)) this.rowWritten(from, row)
    for (const { table, to } of writes) {
      if (table !== 'conversations') continue
      const { _id, headRev, headSeq } = to as unknown as Head
      const given = this.revs.get(_id) ?? []
      if (given.length !== headRev) {
        this.broken.push(
          'I2: a rev was given without the head, or the head moved without a row'
        )
      }
      if (given.filter(({ isNew, row }) => isNew && row.seq !== undefined).length !== headSeq) {
        this.broken.push('I2: the seqs have a gap')
      }
    }
  }

  /** What was committed after that version has never been. */
  restored (version: number): void {
    this.commits = version
    for (const [conversationId, given] of this.revs) {
      const kept = given.filter(({ commit }) => commit <= version)
      this.revs.set(conversationId, kept)
      for (const key of this.deliveries.keys()) {
        if (key.startsWith(`${conversationId} `) && Number(key.split(' ')[1]) > kept.length) this.deliveries.delete(key)
      }
    }
  }

  /** All that was ever written in a conversation, by rev; `commit` counts the commits of all conversations. */
  history (conversationId: string): ReadonlyArray<{ row: LogRow, isNew: boolean, commit: number }> {
    return this.revs.get(conversationId) ?? []
  }

  delivered (node: string, { rows, reads }: CommittedBatch): void {
    for (const { row, isNew } of rows) {
      const key = `${row.conversationId} ${row.rev}`
      const stored = this.at(row.conversationId, row.rev)
      if (stored === undefined || !same(stored.row, row) || stored.isNew !== isNew) {
        this.broken.push('what was delivered is not what is stored')
      }
      // Two nodes may set one state to the same, or delete one message, and both find it so after a commit of which they know no more.
      if (this.deliveries.has(key) && row.kind === 'message' && row.isDeleted !== true) {
        this.broken.push('a change was delivered twice')
      }
      this.deliveries.set(key, node)
      const before = `${node} ${row.conversationId}`
      if (row.rev <= (this.newest.get(before) ?? 0)) this.broken.push('changes were delivered out of order')
      this.newest.set(before, row.rev)
    }
    for (const { _id, readSeq } of reads) this.readsDelivered.add(`${_id} ${readSeq}`)
  }

  /**
   * I3: whoever is told that there is no more holds the messages that the server held at a rev that is not before the
   * head they started from.
   */
  checkPage (conversationId: string, held: Map<string, LogRow>, head: number): void {
    const rev = Math.max(head, ...[...held.values()].map(row => row.rev))
    const state = this.messagesAt(conversationId, rev)
    const missing = [...state].some(
      ([id, row]) => { const mine = held.get(id); return mine === undefined || !same(mine, row) }
    )
    if (missing || held.size !== state.size) {
      this.broken.push(
        'I3: a reader was told that there is no more, and lacks a change'
      )
    }
  }

  checkReader (reader: TimeReader): void {
    if (!reader.caughtUp) this.broken.push('a reader does not come to the end')
    this.checkPage(direct, reader.held, this.history(direct).length)
  }

  /** I1, and that everybody is told what is stored. */
  checkOutcome (node: string, unit: CommitUnit, outcome: UnitOutcome): void {
    const [change] = unit.mutations
    switch (outcome.outcome) {
      case 'committed':
        if (change?.type === 'append' && !this.isStored(outcome.rows[0]!._id)) {
          this.broken.push('I1: acknowledged and not stored')
        }
        // Of a unit that sets several things, some may have been so, by a commit whose node knew no more of it.
        for (const row of unit.mutations.length > 1 && change?.type !== 'append' ? [] : outcome.rows) {
          if (!this.deliveries.has(`${row.conversationId} ${row.rev}`)) {
            this.broken.push(`a committed change was not delivered by ${node}`)
          }
        }
        for (const { _id, readSeq } of outcome.reads) {
          if (!this.readsDelivered.has(`${_id} ${readSeq}`)) this.broken.push('a committed read was not delivered')
        }
        return this.checkRows(outcome.rows)
      case 'unchanged': return this.checkRows(outcome.rows)
      case 'duplicate':
      case 'mismatch': {
        const stored = this.at(outcome.row.conversationId, outcome.row.rev)?.row
        if (!same(stored, outcome.row)) this.broken.push('a duplicate is not what is stored')
        if (change?.type !== 'append' || outcome.row.clientMessageId !== change.row.clientMessageId || outcome.row.senderId?.equals(change.row.senderId!) !== true ||
          (outcome.row.bodyHash === change.row.bodyHash) !== (outcome.outcome === 'duplicate')) {
          this.broken.push(
            'I5: a message was taken for another one'
          )
        }
        return
      }
      case 'missing':
      case 'notMember':
      case 'refused':
        if (change?.type === 'append' && this.isStored(change.row._id)) this.broken.push('refused and stored')
    }
  }

  /** What an answered call changed was delivered by somebody, whatever the answer was. */
  checkHeard (unit: CommitUnit, mark: string): void {
    const [change] = unit.mutations
    for (const given of this.revs.values()) {
      const made = given.findIndex(({ row, isNew }) => change?.type === 'append'
        ? isNew && row._id.equals(change.row._id)
        : row.message?.includes(mark) === true)
      if (made < 0) continue
      const { row, isNew } = given[made]!
      // Whether an edit of which the commit was unknown was made cannot be told after the next one: that one is heard.
      if (!isNew && given.slice(made + 1).some(later => later.row._id.equals(row._id))) continue
      // Nor after a purge of the message: the answer is that there is none.
      if (!isNew && given.some(({ row: { throughSeq = 0 } }) => throughSeq >= (row.seq ?? 0))) continue
      if (!this.deliveries.has(`${row.conversationId} ${row.rev}`)) {
        this.broken.push('a stored change was never delivered')
      }
    }
  }

  private checkRows (rows: LogRow[]): void {
    for (const row of rows) {
      if (!same(this.at(row.conversationId, row.rev)?.row, row)) {
        this.broken.push('an answer is not what is stored under its rev')
      }
    }
  }

  checkStore (mongo: FakeMongo): void {
    const claims = new Set<string>()
    const uniques = new Set<string>()
    for (const row of mongo.all('log') as unknown as LogRow[]) {
      if (!same(this.at(row.conversationId, row.rev)?.row, row)) {
        this.broken.push('a row is not the last that was written at its rev')
      }
      const claim = `${row.conversationId} ${String(row.senderId)} ${row.clientMessageId ?? ''}`
      if (row.clientMessageId !== undefined && claims.has(claim)) this.broken.push('I5: one client id, two messages')
      claims.add(claim)
      if (row.bodyHash?.startsWith('unique') === true && uniques.has(row.bodyHash)) {
        this.broken.push('a message was stored twice')
      }
      if (row.bodyHash !== undefined) uniques.add(row.bodyHash)
    }
    this.checkMembers(mongo)
  }

  /** The members are those that the membership rows make, in the conversation and in each own log, and whoever wrote in a room was one. */
  private checkMembers (mongo: FakeMongo): void {
    const members = mongo.all('members') as unknown as Member[]
    const own = new Set<string>()
    for (const row of mongo.all('log') as unknown as LogRow[]) {
      if (row.kind === 'membership' && row.about !== undefined && row.role != null) {
        own.add(
        `${row.about}|${row.conversationId.slice(5)} ${row.role}`
        )
      }
    }
    if (own.size !== members.length || members.some(member => !own.has(`${member._id} ${member.role}`))) {
      this.broken.push('an own log does not name the conversations of its user')
    }
    for (const [conversationId, given] of this.revs) {
      if (!conversationId.startsWith('room')) continue
      const roles = new Map<string, { role: Member['role'] | null, commit: number }>()
      for (const { row, isNew, commit } of given) {
        if (row.kind === 'membership') roles.set(row.userId!.toHexString(), { role: row.role ?? null, commit })
        else if (row.kind === 'message' && isNew) {
          const sender = roles.get(row.senderId!.toHexString())
          // Who joins, writes and leaves in one commit has one row, which says how it ended.
          if (sender === undefined || (sender.role === null && sender.commit !== commit)) {
            this.broken.push(
              'a stranger wrote in a room'
            )
          }
        }
      }
      const here = members.filter(member => member.conversationId === conversationId)
      const inRows = [...roles.values()].filter(({ role }) => role !== null).length
      if (here.length !== inRows || here.some(member => roles.get(member.userId.toHexString())?.role !== member.role || member._id !== memberKey(conversationId, member.userId))) {
        this.broken.push('the members are not those of the membership rows')
      }
      const head = mongo.read('conversations', conversationId) as unknown as Head | null
      if (head === null) {
        if (given.length > 0) this.broken.push('a conversation has rows, and no head')
        continue
      }
      if (head.memberCount !== here.length) this.broken.push('the members are miscounted')
      const meta = given.filter(({ row }) => row.kind === 'meta').at(-1)?.row
      if (meta !== undefined && (meta.name !== head.name || meta.rev !== head.metaRev)) {
        this.broken.push(
          'a head does not say what its meta row says'
        )
      }
    }
  }

  private headMoved (from: Head | null, to: Head): void {
    if (from !== null && (to.headRev < from.headRev || to.headSeq < from.headSeq)) {
      this.broken.push(
        'I2: a head went down'
      )
    }
    if (from !== null && (to.clock < from.clock || (to.clock.getTime() === from.clock.getTime() && to.reservedBy === from.reservedBy))) this.broken.push('the clock of a conversation went back')
  }

  private rowWritten (from: LogRow | null, row: LogRow): void {
    const given = this.revs.get(row.conversationId) ?? []
    this.revs.set(row.conversationId, given)
    if (row.rev !== given.length + 1) this.broken.push('I2: a rev was given twice, or left out')
    const before = given.at(-1)?.row.updatedAt.getTime() ?? 0
    if (row.updatedAt.getTime() <= before) this.broken.push('times do not increase with rev')
    if (from?.isDeleted === true && row.isDeleted !== true) this.broken.push('I6: a deleted message came back')
    if (row.isDeleted !== true && !(row.message ?? '').startsWith(from?.message ?? '')) {
      this.broken.push('an edit was lost under another one')
    }
    given.push({ row, isNew: from === null, commit: this.commits })
  }

  private at (conversationId: string, rev: number): { row: LogRow, isNew: boolean } | undefined {
    return this.revs.get(conversationId)?.[rev - 1]
  }

  private messagesAt (conversationId: string, rev: number): Map<string, LogRow> {
    const messages = this.history(conversationId).slice(0, rev).filter(({ row }) => row.kind === 'message')
    return new Map(messages.map(({ row }) => [row._id.toHexString(), row]))
  }

  private isStored (id: ObjectId): boolean {
    return [...this.revs.values()].some(given => given.some(({ row }) => row._id.equals(id)))
  }
}

function same (a: object | undefined, b: object): boolean {
  return a !== undefined && Buffer.from(BSON.serialize(a, { ignoreUndefined: true })).equals(
    BSON.serialize(b, { ignoreUndefined: true })
  )
}
