import { TidelogError } from '../../src/errors.ts'
import type { WireAnswer, WireChange, WireConversation, WireHistory, WireResult, WireShared } from '../../src/pure/wire.ts'

/** A server that keeps the contract, in memory: logs by rev, pages, resets, purges, memberships. */

export const me = 'a'.repeat(24)
export const other = 'b'.repeat(24)
export const room = 'room_r'
export const hall = 'common_chat'
export const places = [room, hall]
const newestMax = 4
const named = (id: string) => ({ _id: id, fullName: id, username: id, profilePicture: null })

interface Log { rev: number, seq: number, purgedSeq: number, rows: Map<string, WireChange> }
const emptyLog = (): Log => ({ rev: 0, seq: 0, purgedSeq: 0, rows: new Map() })

interface NarrowInput { clearThroughSeq?: number, hideSeqs?: readonly number[] }
interface Narrowing { clearedSeq: number, hiddenSeqs: readonly number[] }

export interface Sent { conversationId: string, rev: number, change: WireChange | null }

export class Server {
  logs = new Map<string, Log>([[room, emptyLog()], [hall, emptyLog()], ['self', emptyLog()]])
  isMember = true
  stays = 1
  era = 1
  readSeqs = new Map<string, number>()
  /** In the room only what was said since is seen. */
  joinedSeq = 0
  /** What the user cleared and deleted for themselves. */
  settings = new Map<string, Narrowing>()
  private readonly showsAll: boolean
  private backup: Pick<Server, 'logs' | 'isMember' | 'readSeqs' | 'joinedSeq' | 'settings'> | undefined
  private made = 0
  onLive: (event: Sent) => void = () => {}

  /** @param showsAll the room shows a new member what was said before */
  constructor (showsAll: boolean) {
    this.showsAll = showsAll
    this.put('self', `membership ${room}`, { kind: 'membership', conversationId: room, userId: me, role: 'member' })
  }

  private put (id: string, key: string, change: object): WireChange {
    const log = this.logs.get(id)!
    const rev = ++log.rev
    const row = { ...change, rev } as WireChange
    log.rows.set(key, row)
    if (this.isMine(id)) this.onLive({ conversationId: id, rev, change: this.seesRow(id, row) ? row : null })
    return row
  }

  isMine (id: string): boolean {
    return id !== room || this.isMember
  }

  messages (id: string): WireShared[] {
    return [...this.logs.get(id)!.rows.values()].flatMap(row => row.kind === 'message' ? row.message as WireShared : []).sort((a, b) => a.seq - b.seq)
  }

  visible (id: string): WireShared[] {
    const { purgedSeq } = this.logs.get(id)!
    return this.messages(id).filter(({ seq }) => seq > purgedSeq && this.sees(id, seq))
  }

  private sees (id: string, seq: number): boolean {
    const { clearedSeq, hiddenSeqs } = this.narrowingOf(id)
    return (id !== room || seq > this.joinedSeq) && seq > clearedSeq && !hiddenSeqs.includes(seq)
  }

  narrowingOf (id: string): Narrowing {
    return this.settings.get(id) ?? { clearedSeq: 0, hiddenSeqs: [] }
  }

  /** On any device of the user. */
  narrow (id: string, { clearThroughSeq = 0, hideSeqs = [] }: NarrowInput): void {
    const before = this.narrowingOf(id)
    const { seq: last } = this.logs.get(id)!
    const clearedSeq = Math.max(before.clearedSeq, Math.min(clearThroughSeq, last))
    const hidden = new Set([...before.hiddenSeqs, ...hideSeqs.filter(seq => seq <= last)])
    const after = { clearedSeq, hiddenSeqs: [...hidden].filter(seq => seq > clearedSeq).sort((a, b) => a - b) }
    if (JSON.stringify(after) === JSON.stringify(before)) return
    this.settings.set(id, after)
    this.put('self', `settings ${id}`, { kind: 'settings', conversationId: id, ...after })
  }

  say (id: string, userId: string, text: string, clientMessageId: string | null = null): WireShared {
    const log = this.logs.get(id)!
    const held = clientMessageId === null ? undefined : this.messages(id).find(message => message.clientMessageId === clientMessageId)
    if (held !== undefined) return held
    const message: WireShared = {
      _id: String(++this.made).padStart(24, '0'),
      user: named(userId),
      message: text,
      timestamp: new Date(1_700_000_000_000 + this.made).toISOString(),
      messageType: 'text',
      conversationId: id,
      seq: ++log.seq,
      rev: log.rev + 1,
      clientMessageId,
      replyTo: null,
      reactions: [],
      editedAt: null,
      isDeleted: false
    }
    this.put(id, message._id, { kind: 'message', message })
    return message
  }

  change (id: string, messageId: string, change: Partial<WireShared>): WireShared | undefined {
    const message = this.messages(id).find(({ _id }) => _id === messageId)
    if (message === undefined || message.isDeleted) return undefined
    const next = { ...message, ...change, rev: this.logs.get(id)!.rev + 1 }
    this.put(id, messageId, { kind: 'message', message: next })
    return next
  }

  purge (id: string, throughSeq: number): void {
    const log = this.logs.get(id)!
    if (throughSeq <= log.purgedSeq || throughSeq > log.seq) return
    log.purgedSeq = throughSeq
    for (const message of this.messages(id)) if (message.seq <= throughSeq) log.rows.delete(message._id)
    this.put(id, 'purge', { kind: 'purge', throughSeq })
  }

  /** The pins, of which at most three are kept. */
  pins (id: string): readonly string[] | undefined {
    const row = this.logs.get(id)!.rows.get('pins')
    return row?.kind === 'pins' ? row.messageIds : undefined
  }

  pin (id: string, messageId: string): void {
    const others = (this.pins(id) ?? []).filter(pinned => pinned !== messageId)
    this.put(id, 'pins', { kind: 'pins', messageIds: [...others.slice(-2), messageId] })
  }

  /** A change that this user may not see. */
  hidden (id: string): void {
    const log = this.logs.get(id)!
    this.onLive({ conversationId: id, rev: ++log.rev, change: null })
  }

  setMember (isMember: boolean): void {
    if (isMember === this.isMember) return
    this.isMember = isMember
    if (isMember) {
      this.stays++
      const { seq } = this.logs.get(room)!
      // Who comes has read what was there before; the own log does not say so.
      this.readSeqs.set(room, seq)
      if (!this.showsAll) this.joinedSeq = seq
    } else this.readSeqs.delete(room)
    this.put('self', `membership ${room}`, { kind: 'membership', conversationId: room, userId: me, role: isMember ? 'member' : null })
  }

  read (id: string, seq: number): void {
    if (!this.isMine(id) || seq <= (this.readSeqs.get(id) ?? 0)) return
    this.readSeqs.set(id, Math.min(seq, this.logs.get(id)!.seq))
    this.put('self', `read ${id}`, { kind: 'read', conversationId: id, seq: this.readSeqs.get(id)!, at: '2026-01-01T00:00:00.000Z' })
  }

  private seesRow (id: string, row: WireChange): boolean {
    return row.kind !== 'message' || this.sees(id, row.message.seq)
  }

  backUp (): void {
    const { logs, isMember, readSeqs, joinedSeq, settings } = this
    this.backup = structuredClone({ logs, isMember, readSeqs, joinedSeq, settings })
  }

  /** An older database comes back, if there is one: every cursor is of another life, and seqs are given again. */
  restore (): void {
    this.era++
    if (this.backup !== undefined) Object.assign(this, structuredClone(this.backup))
  }

  unread (id: string): number {
    return this.visible(id).filter(({ user, seq, isDeleted }) => user._id !== me && !isDeleted && seq > (this.readSeqs.get(id) ?? 0)).length
  }

  private cursor (id: string, rev: number): string {
    return `${this.era}:${id === room ? this.stays : 0}:${rev}:${this.viewOf(id)}`
  }

  /** Changes when the user sees less. */
  private viewOf (id: string): string {
    const { clearedSeq, hiddenSeqs } = this.narrowingOf(id)
    return `${clearedSeq}-${hiddenSeqs.length}`
  }

  heads (): Record<string, { rev: number, cursor: string }> {
    return Object.fromEntries([...this.logs].filter(([id, { rev }]) => this.isMine(id) && (id === 'self' || rev > 0)).map(([id, { rev }]) => [id, { rev, cursor: this.cursor(id, rev) }]))
  }

  sync ({ cursors, only }: { cursors: Record<string, string | null>, only?: true }, limit: number): WireAnswer {
    const conversations: WireConversation[] = []
    let left = limit
    let hasMore = false
    for (const id of ['self', room, hall]) {
      const log = this.logs.get(id)!
      if (!this.isMine(id) || (only === true && id !== 'self' && !(id in cursors)) || (id !== 'self' && log.rev === 0)) continue
      const [era, stay, since] = (cursors[id] ?? '').split(':').map(Number)
      const view = (cursors[id] ?? '').split(':')[3]
      const isNew = cursors[id] == null || era !== this.era || stay !== (id === room ? this.stays : 0) || since! > log.rev
      if (!isNew && since === log.rev && view === this.viewOf(id)) continue
      const newest = new Set(this.visible(id).slice(-newestMax).map(({ _id }) => _id))
      const rows = [...log.rows]
        .filter(([key, row]) => isNew ? row.kind !== 'message' || newest.has(key) : row.rev > since! && this.seesRow(id, row))
        .map(([, row]) => row).sort((a, b) => a.rev - b.rev)
      if (left === 0) {
        hasMore = true
        break
      }
      const taken = rows.slice(0, left)
      left -= taken.length
      const next = rows[taken.length]
      const rev = next === undefined ? log.rev : next.rev - 1
      hasMore ||= next !== undefined
      const first = this.visible(id).slice(-newestMax)[0]
      conversations.push({
        conversationId: id,
        kind: id === 'self' ? 'self' : id === room ? 'room' : 'common',
        changes: taken,
        cursor: this.cursor(id, rev),
        rev,
        hasMore: next !== undefined,
        ...(isNew ? { reset: true as const, ...(id === 'self' ? {} : { fromSeq: first?.seq ?? log.seq + 1 }) } : {}),
        unreadCount: id === 'self' ? 0 : this.unread(id),
        reads: []
      })
    }
    return { conversations, hasMore, serverTime: '' }
  }

  history (id: string, before: number, limit: number): WireHistory {
    if (!this.isMine(id)) throw new TidelogError({ code: 'NOT_FOUND', status: 404 })
    const older = this.visible(id).filter(({ seq }) => seq < before)
    return { messages: older.slice(-limit), hasOlder: older.length > limit }
  }

  push (operations: object[]): WireResult[] {
    return (operations as Array<{ opId: string, type: string, conversationId: string, clientMessageId?: string, messageId?: string, content?: string, seq?: number } & NarrowInput>).map(operation => {
      const { opId, type, conversationId: id, clientMessageId, content = '' } = operation
      const target = operation.messageId ?? this.allMessages().find(message => message.clientMessageId === clientMessageId)?._id
      const home = id ?? [room, hall].find(where => this.messages(where).some(({ _id }) => _id === target)) ?? hall
      if (!this.isMine(home)) return { opId, success: false, code: 'NOT_FOUND', retryable: false }
      if (type === 'send') return { opId, success: true, message: this.say(home, me, content, clientMessageId) }
      if (type === 'markRead') {
        this.read(home, operation.seq!)
        return { opId, success: true }
      }
      if (type === 'settings') {
        this.narrow(home, operation)
        return { opId, success: true }
      }
      const held = this.visible(home).find(({ _id }) => _id === target)
      if (held === undefined) return { opId, success: false, code: 'NOT_FOUND', retryable: false }
      if (type === 'delete') return { opId, success: true, message: this.change(home, held._id, { isDeleted: true, message: '' }) ?? held }
      if (held.isDeleted) return { opId, success: false, code: 'NOT_ALLOWED', retryable: false }
      return { opId, success: true, message: held.message === content ? held : this.change(home, held._id, { message: content })! }
    })
  }

  allMessages (): WireShared[] {
    return [room, hall].flatMap(id => this.messages(id))
  }
}
