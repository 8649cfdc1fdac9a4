import { stateRowId } from '../../log/model/types.ts'
import type { Message } from '../../schemas/message.ts'
import { requireAccess } from '../access/access.ts'
import { callerView } from '../access/caller-view.ts'
import type { ChatContext } from '../context.ts'
import { loadMessagePayloads } from '../payload/load-payloads.ts'
import { isShown } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * The pinned messages that the caller may see, in the order in which they were pinned.
 * @throws TidelogError NOT_FOUND to a stranger, NOT_ALLOWED for a public room that the caller has not joined
 */
export async function listPins (context: ChatContext, identity: Identity, conversationId: string): Promise<Message[]> {
  const { head, member } = await requireAccess(context, identity, conversationId)
  const view = head?.pinsRev === undefined ? null : await callerView(context, identity, head, member)
  if (head === undefined || view === null) return []
  const { rows } = context.log.collections
  const pins = (await rows.findOne({ _id: stateRowId(head._id, 'pins', '') }))?.pins ?? []
  const ids = pins.map(({ messageId }) => messageId)
  const found = await rows.find({ _id: { $in: ids } }).batchSize(ids.length + 1).toArray()
  const byId = new Map(found.map(row => [row._id.toHexString(), row]))
  const pinned = ids.flatMap(id => byId.get(id.toHexString()) ?? [])
  const shown = pinned.filter(row => row.isDeleted !== true && isShown(view, row))
  return await loadMessagePayloads(context, shown, identity)
}
