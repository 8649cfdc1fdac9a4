import { newId } from '../clock.ts'
import type { Core } from '../core.ts'
import { TidelogError } from '../errors.ts'
import { type OutboxChange, type Subject, again, cancel, concerned, enqueue } from '../pure/outbox.ts'
import type { ConversationRecord, PendingFile, StoredOperation, Target, Work } from '../pure/state.ts'
import { showRow, showSend } from '../pure/view.ts'
import { memo } from '../readable.ts'
import type { Conversation, Member, Message, Operation, Readable, SendOptions, Summary } from '../types.ts'
import { pinsOf } from './pins.ts'
import { TimelineWindow } from './timeline.ts'
import type { TypingState } from './typing.ts'

export interface ConversationParts {
  core: Core
  typing: TypingState
  membersOf: (id: string) => Readable<readonly Member[]>
  summaryOf: (id: string) => Readable<Summary | undefined>
  prepare: (file: Blob) => Promise<PreparedFile>
}

type PreparedFile = Exclude<NonNullable<SendOptions['files']>[number], Blob>

/** Of a message; the server's limit. */
const attachmentsMax = 10

/** What is stored in one step with a change of the outbox. */
interface Beside {
  endsDraft?: boolean
  files?: Array<[key: string, bytes: Blob]> | undefined
}

/** One conversation, over whatever engine there is. */
export function conversationOf (id: string, { core, typing, membersOf, summaryOf, prepare }: ConversationParts): Conversation {
  const record = () => core.engine?.conversations.get(id)
  const draft = core.computed(() => core.engine?.drafts.get(id) ?? '')
  const reads = memo(readsOf)

  const changeOutbox = async (
    change: (operations: StoredOperation[]) => OutboxChange, { endsDraft = false, files = [] }: Beside = {}
  ): Promise<void> => {
    const engine = core.signedIn
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

  const change = async (work: Work, beside?: Beside): Promise<void> => {
    await changeOutbox(operations => enqueue(operations, id, work), beside)
  }

  /** What was sent under this id before. */
  const stored = async (clientMessageId: string): Promise<Message | undefined> => {
    const engine = core.signedIn
    const rows = await engine.rows(id, 1, Infinity)
    const row = rows.findLast(row => row.senderId === engine.userId && row.clientMessageId === clientMessageId)
    return row === undefined ? undefined : showRow(row, [], engine.viewOf(id))
  }

  const pendingFiles = async (files: NonNullable<SendOptions['files']>): Promise<Array<{ file: PendingFile, bytes: Blob }>> => {
    const prepared = await Promise.all(files.map(async file => file instanceof Blob ? await prepare(file) : file))
    return prepared.map(({ bytes, keepsDetails, ...about }) => ({ bytes, file: { key: newId(core.random), ...about } }))
  }

  return {
    id,
    summary: summaryOf(id),
    members: membersOf(id),
    pins: pinsOf(core, id),
    typing: typing.of(id),
    reads: core.computed(() => reads(record()?.reads)),
    draft: {
      get: draft.get,
      subscribe: draft.subscribe,
      set: text => {
        const { engine } = core
        if (engine === undefined) return
        // If a draft cannot be stored, the event `error` says so.
        engine.write(async () => {
          if ((engine.drafts.get(id) ?? '') !== text) await engine.commit({ drafts: [[id, text]] })
        }).catch(() => {})
      }
    },
    timeline: options => new TimelineWindow(core, id, options),
    send: async (text, { replyTo, mentions, attachments = [], files = [], type, forwarded, clientMessageId } = {}) => {
      const { userId } = core.signedIn
      if (attachments.length + files.length > attachmentsMax) throw invalid(`A message can have at most ${attachmentsMax} files`)
      if (files.length > 0 && clientMessageId !== undefined) {
        // Uploaded again they would be other files, and the message another one under the same id.
        const before = await stored(clientMessageId)
        if (before !== undefined) return before
      }
      const pending = await pendingFiles(files)
      const work: Work & { type: 'send' } = {
        type: 'send',
        clientMessageId: clientMessageId ?? newId(core.random),
        text,
        messageType: type,
        replyTo: replyTo === undefined ? undefined : replyOf(replyTo),
        mentions,
        attachments: attachments.length === 0 ? undefined : attachments,
        files: pending.length === 0 ? undefined : pending.map(({ file }) => file),
        forwarded: forwarded === true || undefined
      }
      typing.sent(id)
      await change(work, { endsDraft: true, files: pending.map(({ file, bytes }) => [file.key, bytes]) })
      const operations = core.signedIn.operationsOf(id)
      const queued = operations.find(other => other.work.type === 'send' && other.work.clientMessageId === work.clientMessageId)
      const shown = queued === undefined ? await stored(work.clientMessageId) : showSend(queued, operations, userId)
      return shown ?? { ...showSend(operationOf(core, id, work), [], userId)!, status: 'sending' }
    },
    edit: async (message, text, { expectedRev, mentions } = {}) => {
      const base = message.rev > 0 ? { rev: message.rev, text: message.text } : undefined
      await change({ type: 'edit', target: targetFor(message), text, expectedRev, mentions, base })
    },
    delete: async message => { await change({ type: 'delete', target: targetFor(message) }) },
    react: async (message, emoji, on) => { await change({ type: 'react', target: targetFor(message), emoji, on }) },
    pin: async (message, on) => { await change({ type: 'pin', target: targetFor(message), on }) },
    configure: async settings => { await change({ type: 'settings', settings }) },
    clear: async () => {
      const { top = 0, last } = record() ?? {}
      const clearThroughSeq = Math.max(top, last?.seq ?? 0)
      if (clearThroughSeq > 0) await change({ type: 'settings', settings: { clearThroughSeq } })
    },
    hide: async messages => {
      const hideSeqs = messages.flatMap(({ seq }) => seq ?? [])
      if (hideSeqs.length < messages.length) throw invalid('A message that is not sent yet cannot be hidden')
      if (hideSeqs.length > 0) await change({ type: 'settings', settings: { hideSeqs } })
    },
    markRead: async message => {
      const engine = core.signedIn
      const held = record()
      // One of your own that is not sent yet has none: what is before it is read by sending.
      const seq = message === undefined ? held?.top : message.seq
      if (held === undefined || seq === undefined || seq === 0) return
      if (engine.self.settings[id]?.markedUnread === true) await change({ type: 'settings', settings: { markedUnread: false } })
      if (seq <= engine.readSeq(id)) return
      await change({ type: 'markRead', seq })
      // If nobody is there to count, the next sync does.
      await core.remotely('markedRead', id, seq).catch(() => {})
    },
    setTyping: on => { typing.set(id, on) },
    retry: async failed => {
      await changeOutbox(operations => ({
        put: concerned(operations, subjectOf(failed)).filter(({ state }) => state === 'failed').map(again), settle: []
      }))
    },
    cancel: async given => { await changeOutbox(operations => cancel(operations, id, subjectOf(given))) }
  }
}

function operationOf ({ random, clock }: Core, conversationId: string, work: Work): StoredOperation {
  return { position: 0, version: 0, opId: newId(random), conversationId, state: 'queued', attempts: 0, createdAt: clock.now(), work }
}

function readsOf (reads: ConversationRecord['reads'] = {}) {
  return Object.entries(reads).map(([userId, { seq, at }]) => ({ userId, seq, at }))
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
  return { messageId: id, clientMessageId: isOwn ? clientMessageId : undefined }
}
