import { TidelogError } from '../../errors.ts'
import type { FileRow } from '../../files/file-row.ts'
import { noteUse } from '../../files/sweep.ts'
import type { Attachment, LogRow } from '../../log/model/types.ts'
import type { AttachmentInput } from '../../schemas/message.ts'
import { requireReadableFile } from '../access/file-access.ts'
import type { ChatContext } from '../context.ts'
import type { Identity } from '../../users/identity.ts'
import { isRetry } from './is-retry.ts'

/** What a send says of its files. */
interface Sent {
  attachments?: AttachmentInput[] | null
  clientMessageId?: string | null
}

/**
 * The files that the row carries. Each is one that the sender may read, and it is noted where it goes before anything
 * is committed.
 * @throws TidelogError VALIDATION if there is no such file for the sender, or it was sent to too many conversations
 */
export async function attachmentsOf (
  context: ChatContext, identity: Identity, conversationId: string, { attachments, clientMessageId }: Sent
): Promise<Attachment[]> {
  if (attachments == null || attachments.length === 0) return []
  if (new Set(attachments.map(({ fileId }) => fileId.toLowerCase())).size < attachments.length) {
    throw new TidelogError('VALIDATION', 'attachments must name each file once')
  }
  try {
    return await Promise.all(attachments.map(async ({ fileId, ...about }) => {
      const file = await requireReadableFile(context, identity, fileId)
      if (!await noteUse(context.files, file, conversationId)) throw new TidelogError('NOT_FOUND')
      return attachmentOf(file, about)
    }))
  } catch (error) {
    if (!(error instanceof TidelogError && error.code === 'NOT_FOUND')) throw error
    // A retry names files that were there when the message was stored.
    if (await isRetry(context, identity, conversationId, clientMessageId)) return []
    throw new TidelogError('VALIDATION', 'attachments must name files that you uploaded or may see')
  }
}

/** What the server knows counts more than what the sender says. */
function attachmentOf (
  { _id, name, type, size, width, height }: FileRow, about: Omit<AttachmentInput, 'fileId'>
): Attachment {
  return {
    _id,
    name,
    type: type!,
    size,
    ...about,
    ...(width === undefined || height === undefined ? {} : { width, height })
  }
}

/** The type of a message whose sender names none: that of its files if they are of one kind. */
export function messageTypeFor (attachments: readonly Attachment[]): NonNullable<LogRow['messageType']> {
  if (attachments.length === 0) return 'text'
  const [family, ...others] = new Set(attachments.map(({ type }) => type.split('/')[0]))
  const isShown = others.length === 0 && (family === 'image' || family === 'video' || family === 'audio')
  return isShown ? family : 'file'
}

/** The requested files in one form, to compare two sends. */
export function attachmentsKey (attachments: readonly AttachmentInput[]): unknown[] {
  return attachments.map(({ fileId, width, height, durationMs, blurhash }) =>
    [fileId.toLowerCase(), width ?? null, height ?? null, durationMs ?? null, blurhash ?? null])
}
