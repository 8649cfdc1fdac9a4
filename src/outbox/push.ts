import { type ChatContext, type PreparedCommit, atOnce } from '../chat/context.ts'
import { directId, parseConversationId, roomConversationId } from '../chat/rules/conversation-id.ts'
import { prepareSettings } from '../chat/conversations/change-settings.ts'
import { prepareDelete } from '../chat/messages/delete-message.ts'
import { prepareEdit } from '../chat/messages/edit-message.ts'
import { requireVisibleMessage } from '../chat/access/access.ts'
import { prepareMarkRead } from '../chat/conversations/mark-read.ts'
import { preparePin } from '../chat/messages/pin-message.ts'
import { prepareReact } from '../chat/messages/react.ts'
import { prepareSendTo } from '../chat/messages/send-to.ts'
import { TidelogError, failureBody } from '../errors.ts'
import { type Check, checkOf } from '../lib/json-schema.ts'
import {
  type MarkReadOperation, type PushInput, type PushOperation, type PushResult, pushOperations
} from '../schemas/push.ts'
import { wellFormed } from '../schemas/text.ts'
import type { Identity } from '../users/identity.ts'

/**
 * Runs an offline outbox. Each operation is prepared after the commit of the previous one has begun, so they are stored
 * in their order without waiting for each other. Only operations on the same message wait. If one fails, the later ones
 * on its message fail too: their author wrote them on the assumption that it succeeded.
 */

type RawOperation = PushInput['operations'][number]

/** The fields of a success beside `opId` and `success`. */
type Done = Omit<Extract<PushResult, { success: true }>, 'opId' | 'success'>

const checks = new Map<string, Check>(
  Object.entries(pushOperations).map(([type, schema]) => [type, checkOf(schema, 'the operation')])
)

/** Turns any error into a failure for the client. */
type Failing = (error: unknown) => TidelogError

export const pushOutbox = atOnce(prepareOutbox)

export async function prepareOutbox (
  context: ChatContext, identity: Identity, operations: readonly RawOperation[], failing: Failing
): Promise<PreparedCommit<PushResult[]>> {
  const outbox = new Outbox(context, identity)
  const results: Array<Promise<PushResult>> = []
  for (const [index, operation] of operations.entries()) {
    const { opId } = operation
    // The first operation was counted as the call.
    const commit = await outbox.prepare(operation, index > 0)
    results.push(commit().then(
      (done): PushResult => ({ opId, success: true, ...done }),
      (error: unknown): PushResult => ({ opId, ...failureBody(failing(error)) } as PushResult)
    ))
  }
  return async () => await Promise.all(results)
}

/** The operations of one call, and the outcome for each message that they name. */
class Outbox {
  private readonly context: ChatContext
  private readonly identity: Identity
  /** By message name: did the last operation on it succeed? Never rejects. */
  private readonly last = new Map<string, Promise<boolean>>()
  /** Ids of the messages sent in this call, by the client's name for them. */
  private readonly sent = new Map<string, string>()

  constructor (context: ChatContext, identity: Identity) {
    this.context = context
    this.identity = identity
  }

  /** Never rejects: a failure is the operation's result. */
  async prepare (operation: RawOperation, counts: boolean): Promise<PreparedCommit<Done>> {
    const names = namesOf(this.identity, operation as RawOperation & Record<string, unknown>)
    let commit: PreparedCommit<Done>
    try {
      if (counts) this.context.countRequest(this.identity.userId)
      for (const name of names) await this.follow(name)
      commit = await this.prepareKind(parse(operation), names)
    } catch (error) {
      commit = async () => { throw error }
    }
    return async () => {
      const done = commit()
      const wentWell = done.then(() => true, () => false)
      for (const name of names) this.last.set(name, wentWell)
      return await done
    }
  }

  /** Waits for the previous operation on the same message. @throws TidelogError PREVIOUS_FAILED */
  private async follow (name: string): Promise<void> {
    if (await this.last.get(name) === false) throw new TidelogError('PREVIOUS_FAILED')
  }

  private async prepareKind (operation: PushOperation, names: string[]): Promise<PreparedCommit<Done>> {
    const { context, identity } = this
    switch (operation.type) {
      case 'send': {
        const commit = await prepareSendTo(context, identity, operation)
        return async () => {
          const { message, duplicate, rev } = await commit()
          for (const name of names) this.sent.set(name, message._id)
          return { message, rev, ...(duplicate ? { duplicate } : {}) }
        }
      }
      case 'edit': {
        const messageId = await this.messageOf(operation, names)
        return await prepareEdit(context, identity, { ...operation, messageId })
      }
      case 'delete': return await prepareDelete(context, identity, { messageId: await this.messageOf(operation, names) })
      case 'react': {
        const messageId = await this.messageOf(operation, names)
        return await prepareReact(context, identity, { ...operation, messageId })
      }
      case 'pin': {
        const messageId = await this.messageOf(operation, names)
        return await preparePin(context, identity, { messageId, on: operation.on })
      }
      case 'settings': {
        const { opId, type, conversationId, ...input } = operation
        return prepareSettings(context, identity, conversationId, input)
      }
      case 'markRead': return await prepareMarkRead(context, identity, await this.positionOf(operation, names))
    }
  }

  /** @throws TidelogError VALIDATION, NOT_FOUND, PREVIOUS_FAILED */
  private async messageOf ({ messageId, conversationId, clientMessageId }: Target, names: string[]): Promise<string> {
    if (messageId !== undefined) {
      if (clientMessageId !== undefined) {
        throw new TidelogError('VALIDATION', 'Name the message by messageId or by clientMessageId, not by both')
      }
      return messageId
    }
    if (conversationId === undefined || clientMessageId === undefined) {
      throw new TidelogError('VALIDATION', 'messageId, or conversationId and clientMessageId, is required')
    }
    const sent = names.map(name => this.sent.get(name)).find(known => known !== undefined)
    const id = sent ?? await this.storedUnder(conversationId, clientMessageId)
    // Another operation may have named the message by its id.
    await this.follow(nameOfId(id))
    names.push(nameOfId(id))
    return id
  }

  /** The caller's message with this client id. @throws TidelogError NOT_FOUND */
  private async storedUnder (conversationId: string, clientMessageId: string): Promise<string> {
    const ref = parseConversationId(conversationId)
    const row = ref === null
      ? null
      : await this.context.log.collections.rows.findOne({
        conversationId: ref.conversationId, senderId: this.identity.id, clientMessageId: wellFormed(clientMessageId)
      })
    if (row === null) throw new TidelogError('NOT_FOUND')
    return row._id.toHexString()
  }

  private async positionOf (
    operation: MarkReadOperation, names: string[]
  ): Promise<{ conversationId: string, seq: number }> {
    const { conversationId, seq, messageId, clientMessageId } = operation
    if (seq === undefined) {
      const { row } = await requireVisibleMessage(this.context, this.identity, await this.messageOf(operation, names))
      return { conversationId: row.conversationId, seq: row.seq! }
    }
    if (conversationId === undefined || messageId !== undefined || clientMessageId !== undefined) {
      throw new TidelogError('VALIDATION', 'Send seq with conversationId alone')
    }
    return { conversationId, seq }
  }
}

interface Target {
  messageId?: string
  conversationId?: string
  clientMessageId?: string
}

const nameOfId = (messageId: string): string => `id ${messageId.toLowerCase()}`

/**
 * The names by which an operation refers to its message, even if the rest of it is malformed; empty if nothing can
 * refer to it.
 */
function namesOf ({ userId }: Identity, operation: Record<string, unknown>): string[] {
  const { messageId, conversationId, receiverId, roomId, clientMessageId } = operation
  if (typeof messageId === 'string') return [nameOfId(messageId)]
  if (typeof clientMessageId !== 'string') return []
  const given = typeof receiverId === 'string'
    ? directId(userId, receiverId.toLowerCase())
    : typeof roomId === 'string' ? roomConversationId(roomId) : conversationId
  const ref = typeof given === 'string' ? parseConversationId(given) : null
  return ref === null ? [] : [`client ${ref.conversationId} ${wellFormed(clientMessageId)}`]
}

/** @throws TidelogError VALIDATION */
function parse (operation: RawOperation): PushOperation {
  const check = checks.get(operation.type)
  if (check === undefined) throw new TidelogError('VALIDATION', 'There is no operation of this type')
  const wrong = check(operation)
  if (wrong !== undefined) throw new TidelogError('VALIDATION', wrong)
  return operation as unknown as PushOperation
}
