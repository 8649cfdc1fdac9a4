import { newId } from '../clock.ts'
import type { Core } from '../core.ts'
import { TidelogError } from '../errors.ts'
import type { Engine } from '../engine/engine.ts'
import { type OutboxChange, type Subject, again, cancel, concerned, enqueue } from '../pure/outbox.ts'
import { type ConversationRecord, type PendingFile, type StoredOperation, type Target, type Work } from '../pure/state.ts'
import { showRow, showSend } from '../pure/view.ts'
import { Computed } from '../readable.ts'
import type {
  Conversation, Message, Operation, ReadPosition, Readable, SendOptions, SettingsInput, Summary, Timeline
} from '../types.ts'
import type { MemberLists } from './members.ts'
import { pinsOf } from './pins.ts'
import { TimelineWindow } from './timeline.ts'
import type { TypingState } from './typing.ts'

export interface ConversationParts {
  core: Core
  members: MemberLists
  typing: TypingState
  summaryOf: (id: string) => Readable<Summary | undefined>
}

/** Of a message; the server's limit. */
const attachmentsMax = 10

/** What is stored in one step with a change of the outbox. */
interface Beside {
  endsDraft?: boolean
  files?: Array<[key: string, bytes: Blob]> | undefined
}

/** One conversation, over whatever engine there is. */
export class ConversationView implements Conversation {
  readonly id: string
  readonly summary: Readable<Summary | undefined>
  readonly members: Conversation['members']
  readonly reads: Readable<readonly ReadPosition[]>
  readonly typing: Readable<readonly string[]>
  readonly draft: Conversation['draft']
  readonly pins: Conversation['pins']
  private readonly core: Core
  private readonly typingState: TypingState

  constructor (id: string, { core, members, typing, summaryOf }: ConversationParts) {
    this.id = id
    this.core = core
    this.typingState = typing
    this.summary = summaryOf(id)
    this.members = members.of(id)
    this.pins = pinsOf(core, id)
    this.typing = typing.of(id)
    const reads = new Computed(() => readsOf(this.record))
    const draft = new Computed(() => core.engine?.drafts.get(id) ?? '')
    this.reads = reads
    this.draft = { get: draft.get, subscribe: draft.subscribe, set: text => { this.setDraft(text) } }
    core.changed.add(changed => {
      if (changed === 'all' || changed.batch.conversations?.some(record => record.id === id) === true) reads.invalidate()
      if (changed === 'all' || changed.batch.drafts?.some(([of]) => of === id) === true) draft.invalidate()
    })
  }

  private get record (): ConversationRecord | undefined {
    return this.core.engine?.conversations.get(this.id)
  }

  readonly timeline = (options?: Parameters<Conversation['timeline']>[0]): Timeline => new TimelineWindow(this.core, this.id, options)

  readonly send = async (text: string, options: SendOptions = {}): Promise<Message> => {
    const { core } = this
    const { replyTo, mentions, attachments = [], files = [], type, clientMessageId } = options
    const { userId } = core.signedIn
    if (attachments.length + files.length > attachmentsMax) throw invalid(`A message carries ${attachmentsMax} files at most`)
    if (files.length > 0 && clientMessageId !== undefined) {
      // Uploaded again they would be other files, and the message another one under the same id.
      const stored = await this.stored(clientMessageId)
      if (stored !== undefined) return stored
    }
    const pending = files.length === 0 ? undefined : await pendingFiles(core, files)
    const id = clientMessageId ?? newId(core.random)
    const work: Work = {
      type: 'send',
      clientMessageId: id,
      text,
      messageType: type,
      replyTo: replyTo === undefined ? undefined : replyOf(replyTo),
      mentions,
      ...(attachments.length === 0 ? {} : { attachments }),
      ...(pending === undefined ? {} : { files: pending.map(({ file }) => file) }),
      ...(options.forwarded === true ? { forwarded: true } : {})
    }
    this.typingState.sent(this.id)
    await this.enqueue(work, { endsDraft: true, files: pending?.map(({ file, bytes }) => [file.key, bytes]) })
    const operations = core.signedIn.operationsOf(this.id)
    const queued = operations.find(operation => operation.work.type === 'send' && operation.work.clientMessageId === id)
    const shown = queued === undefined ? await this.stored(id) : showSend(queued, operations, userId)
    return shown ?? { ...showSend(operationOf(core, this.id, work), [], userId)!, status: 'sending' }
  }

  readonly edit: Conversation['edit'] = async (message, text, { expectedRev, mentions } = {}) => {
    const base = message.rev > 0 ? { rev: message.rev, text: message.text } : undefined
    await this.enqueue({ type: 'edit', target: targetFor(message), text, expectedRev, mentions, base })
  }

  readonly delete: Conversation['delete'] = async message => {
    await this.enqueue({ type: 'delete', target: targetFor(message) })
  }

  readonly react: Conversation['react'] = async (message, emoji, on) => {
    await this.enqueue({ type: 'react', target: targetFor(message), emoji, on })
  }

  readonly pin: Conversation['pin'] = async (message, on) => {
    await this.enqueue({ type: 'pin', target: targetFor(message), on })
  }

  readonly configure = async (settings: SettingsInput): Promise<void> => {
    await this.enqueue({ type: 'settings', settings })
  }

  readonly clear = async (): Promise<void> => {
    const { top = 0, last } = this.record ?? {}
    const clearThroughSeq = Math.max(top, last?.seq ?? 0)
    if (clearThroughSeq > 0) await this.enqueue({ type: 'settings', settings: { clearThroughSeq } })
  }

  readonly hide = async (messages: readonly Message[]): Promise<void> => {
    const hideSeqs = messages.flatMap(({ seq }) => seq ?? [])
    if (hideSeqs.length < messages.length) throw invalid('A message that is not sent yet cannot be hidden')
    if (hideSeqs.length > 0) await this.enqueue({ type: 'settings', settings: { hideSeqs } })
  }

  readonly markRead = async (message?: Message): Promise<void> => {
    const engine = this.core.signedIn
    const seq = message === undefined ? this.record?.top : message.seq
    // One of your own that is not sent yet: what is before it is read by sending.
    if (seq === undefined || seq === 0 || this.record === undefined) return
    const { settings } = engine.self
    if (settings[this.id]?.markedUnread === true) await this.enqueue({ type: 'settings', settings: { markedUnread: false } })
    if (seq <= engine.readSeq(this.id)) return
    await this.enqueue({ type: 'markRead', seq })
    // If nobody is there to count, the next sync does.
    await this.core.remotely('markedRead', this.id, seq).catch(() => {})
  }

  readonly setTyping = (on: boolean): void => { this.typingState.set(this.id, on) }

  readonly retry = async (failed: Message | Operation): Promise<void> => {
    await this.changeOutbox(operations => ({
      put: concerned(operations, subjectOf(failed)).filter(({ state }) => state === 'failed').map(again), settle: []
    }))
  }

  readonly cancel = async (given: Message | Operation): Promise<void> => {
    await this.changeOutbox(operations => cancel(operations, this.id, subjectOf(given)))
  }

  private setDraft (text: string): void {
    const { engine } = this.core
    if (engine === undefined || (engine.drafts.get(this.id) ?? '') === text) return
    // A draft that cannot be stored is told of by `error`.
    engine.write(() => engine.commit({ drafts: [[this.id, text]] })).catch(() => {})
  }

  private async enqueue (work: Work, beside: Beside = {}): Promise<void> {
    await this.changeOutbox(operations => enqueue(operations, this.id, work), beside)
  }

  private async changeOutbox (
    change: (operations: StoredOperation[]) => OutboxChange, { endsDraft = false, files = [] }: Beside = {}
  ): Promise<void> {
    const { core, id } = this
    const engine: Engine = core.signedIn
    await engine.writeOutbox(async () => {
      const { add, put, settle } = change(engine.operationsOf(id))
      const hasDraft = endsDraft && engine.drafts.has(id)
      if (add === undefined && put.length + settle.length === 0 && !hasDraft) return
      await engine.commit({
        put,
        settle,
        ...(add === undefined ? {} : { add: [operationOf(core, id, add)], files }),
        ...(hasDraft ? { drafts: [[id, '']] } : {})
      })
    })
  }

  /** What was sent under this id before. */
  private async stored (clientMessageId: string): Promise<Message | undefined> {
    const { signedIn: engine } = this.core
    const rows = await engine.rows(this.id, 1, Infinity)
    const row = rows.findLast(row => row.senderId === engine.userId && row.clientMessageId === clientMessageId)
    return row === undefined ? undefined : showRow(row, [], engine.viewOf(this.id))
  }
}

function operationOf ({ random, clock }: Core, conversationId: string, work: Work): StoredOperation {
  return { position: 0, version: 0, opId: newId(random), conversationId, state: 'queued', attempts: 0, createdAt: clock.now(), work }
}

async function pendingFiles (
  { random }: Core, files: NonNullable<SendOptions['files']>
): Promise<Array<{ file: PendingFile, bytes: Blob }>> {
  const { prepareFile } = await import('../media/prepare.ts')
  const prepared = await Promise.all(files.map(async file => file instanceof Blob ? await prepareFile(file) : file))
  return prepared.map(({ bytes, keepsDetails, ...about }) => ({ bytes, file: { key: newId(random), ...about } }))
}

function readsOf (record: ConversationRecord | undefined): readonly ReadPosition[] {
  return Object.entries(record?.reads ?? {}).map(([userId, { seq, at }]) => ({ userId, seq, at }))
}

function replyOf (message: NonNullable<SendOptions['replyTo']>) {
  if (message.id === undefined) throw invalid('A message that is not sent yet cannot be replied to')
  return 'seq' in message ? { id: message.id, seq: message.seq, senderId: message.senderId } : { id: message.id }
}

function invalid (message: string): TidelogError {
  return new TidelogError({ code: 'VALIDATION', message, status: 400 })
}

function subjectOf (given: Message | Operation): Subject {
  return 'position' in given ? given : targetFor(given)
}

function targetFor ({ id, clientMessageId, isOwn }: Message): Target {
  return { ...(id === undefined ? {} : { messageId: id }), ...(isOwn && clientMessageId !== undefined ? { clientMessageId } : {}) }
}
