import { createHash } from 'node:crypto'
import { ObjectId } from 'mongodb'
import { directId } from '../chat/rules/conversation-id.ts'
import type { LogRow } from '../log/model/types.ts'
import type { StagedMessage } from './collections.ts'
import type { ReportCode } from './report.ts'

/** A message as the old backend stored it. Any field may be missing or of another type. */
export type OldMessage = Readonly<Record<string, unknown>> & { readonly _id: unknown }

interface Converted {
  /** Undefined: the message is left out, for the last of the codes. */
  message: StagedMessage | undefined
  codes: ReportCode[]
}

const messageTypes: ReadonlySet<unknown> = new Set(['text', 'image', 'file', 'audio', 'video', 'location', 'system'])

/** Converts one message, and says what could not stay as it was. */
export function convert (old: OldMessage): Converted {
  const codes: ReportCode[] = []
  const note = (code: ReportCode, isSo = true) => { if (isSo) codes.push(code) }
  const [senderId, receiverId] = [idOf(old['senderId']), idOf(old['receiverId'])]
  if (senderId === undefined || receiverId === undefined) return { message: undefined, codes: ['USER_ID'] }
  if (senderId.equals(receiverId)) return { message: undefined, codes: ['ONESELF'] }
  const _id = messageId(old._id)
  note('ID_REPLACED', idOf(old._id) === undefined)
  const created = timeOf(old['createdAt'])
  note('TIME_MISSING', created === undefined)
  const createdAt = created ?? _id.getTimestamp()
  const updated = timeOf(old['updatedAt']) ?? createdAt
  note('TIME_ORDER', updated < createdAt)
  const changedAt = updated < createdAt ? createdAt : updated
  const isDeleted = old['isDeleted'] === true
  const common = {
    _id,
    ...(old._id instanceof ObjectId ? {} : { oldId: old._id }),
    conversationId: directId(senderId.toHexString(), receiverId.toHexString()),
    senderId,
    receiverId,
    createdAt,
    changedAt,
    isRead: old['isRead'] === true
  }
  const content = isDeleted
    ? { isDeleted: true as const, messageType: typeOf(old, () => {}) }
    : contentOf(old, changedAt, note)
  return { message: { ...common, ...content, hash: hashOf({ ...common, ...content }) }, codes }
}

type Content = Pick<LogRow, 'message' | 'messageType' | 'listingId' | 'editedAt'>

function contentOf (old: OldMessage, changedAt: Date, note: (code: ReportCode, isSo?: boolean) => void): Content {
  const { message, listingId } = old
  note('TEXT_MISSING', typeof message !== 'string')
  note('TEXT_EMPTY', message === '')
  const listing = idOf(listingId)
  note('LISTING_ID', listingId != null && listing === undefined)
  const editedAt = timeOf(old['editedAt']) ?? (old['isEdited'] === true ? changedAt : undefined)
  return {
    message: typeof message === 'string' ? message : '',
    messageType: typeOf(old, note),
    ...(listing === undefined ? {} : { listingId: listing.toHexString() }),
    ...(editedAt === undefined ? {} : { editedAt })
  }
}

function typeOf (
  { messageType }: OldMessage, note: (code: ReportCode, isSo?: boolean) => void
): NonNullable<LogRow['messageType']> {
  if (messageTypes.has(messageType)) return messageType as NonNullable<LogRow['messageType']>
  note('TYPE_UNKNOWN', messageType != null)
  return 'text'
}

/** Ids are ObjectIds, or their 24 hexadecimal digits. */
export function idOf (value: unknown): ObjectId | undefined {
  if (value instanceof ObjectId) return value
  return typeof value === 'string' && /^[0-9a-fA-F]{24}$/.test(value) ? ObjectId.createFromHexString(value) : undefined
}

/** Another id gets an ObjectId that is the same in every run. */
function messageId (value: unknown): ObjectId {
  return idOf(value) ?? new ObjectId(createHash('sha256').update(JSON.stringify(value) ?? '').digest().subarray(0, 12))
}

/** Times are dates, or what `Date` reads: a text, or milliseconds. */
function timeOf (value: unknown): Date | undefined {
  if (!(value instanceof Date) && typeof value !== 'string' && typeof value !== 'number') return undefined
  const time = new Date(value)
  return Number.isNaN(time.getTime()) ? undefined : time
}

function hashOf (message: object): string {
  return createHash('sha256').update(JSON.stringify(message)).digest().subarray(0, 12).toString('base64url')
}
