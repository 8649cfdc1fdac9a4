import { TidelogError } from '../../errors.ts'
import type { FileRow } from '../../files/file-row.ts'
import { type LinkProof, isGoodLink, makeLink } from '../../files/links.ts'
import { requireWhole } from '../../files/upload.ts'
import { indexNames } from '../../log/model/collections.ts'
import { type LogRow, seqOf } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { objectId } from '../rules/conversation-id.ts'
import { isShown } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'
import { requireAccess } from './access.ts'
import { callerView } from './caller-view.ts'

/** Messages of one conversation that are looked at: somebody could send one file there again and again. */
const messagesMax = 1_000

/**
 * A file that the caller may read: their own, or one that a message carries which they are shown.
 * @throws TidelogError NOT_FOUND if there is none, or the caller may not read it
 */
export async function requireReadableFile (context: ChatContext, identity: Identity, fileId: string): Promise<FileRow> {
  const row = await requireWhole(context.files, await context.files.files.findOne({ _id: objectId(fileId) }))
  if (row.userId.equals(identity.id)) return row
  for (const conversationId of row.sentTo) if (await isShownIn(context, identity, row, conversationId)) return row
  throw new TidelogError('NOT_FOUND')
}

/**
 * A file that somebody reads by a link.
 * @throws TidelogError NOT_FOUND if the link was not made here, or has ended
 */
export async function linkedFile ({ files }: ChatContext, fileId: string, proof: LinkProof): Promise<FileRow> {
  if (!isGoodLink(files.linkKey, fileId.toLowerCase(), proof, files.now())) throw new TidelogError('NOT_FOUND')
  return await requireWhole(files, await files.files.findOne({ _id: objectId(fileId) }))
}

/** Links to those of the files that the caller may read, by id. */
export async function linksFor (
  context: ChatContext, identity: Identity, fileIds: readonly string[]
): Promise<Record<string, { url: string, expiresAt: string }>> {
  const { linkKey, now } = context.files
  const links = await Promise.all([...new Set(fileIds.map(id => id.toLowerCase()))].map(async id => {
    const file = await requireReadableFile(context, identity, id).catch((error: unknown) => {
      if (error instanceof TidelogError && error.code === 'NOT_FOUND') return null
      throw error
    })
    if (file === null) return []
    const { url, expiresAt } = makeLink(linkKey, id, now())
    return [[id, { url, expiresAt: expiresAt.toISOString() }] as const]
  }))
  return Object.fromEntries(links.flat())
}

async function isShownIn (
  context: ChatContext, identity: Identity, { _id }: FileRow, conversationId: string
): Promise<boolean> {
  const access = await requireAccess(context, identity, conversationId).catch((error: unknown) => {
    if (error instanceof TidelogError && error.status < 500) return null
    throw error
  })
  if (access?.head === undefined) return false
  const view = await callerView(context, identity, access.head, access.member)
  if (view === null) return false
  const messages = context.log.collections.rows
    .find({ conversationId, 'attachments._id': _id, seq: { $gt: seqOf(view.afterSeq) } })
    .project<Pick<LogRow, 'kind' | 'seq' | 'senderId'>>({ kind: 1, seq: 1, senderId: 1 })
    .sort({ seq: -1 }).hint(indexNames.byAttachment).limit(messagesMax)
  for await (const message of messages) if (isShown(view, message)) return true
  return false
}
