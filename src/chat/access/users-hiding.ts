import { indexNames } from '../../log/model/collections.ts'
import type { LogRow } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'

/**
 * Users who have cleared or hidden a message, in hex: they get no event when it changes. Read from indexes of those few
 * members.
 */
export async function usersHiding ({ log }: ChatContext, { conversationId, seq }: LogRow): Promise<string[]> {
  if (seq === undefined) return []
  const { members } = log.collections
  const [hiding, clearing] = await Promise.all([
    members.find({ conversationId, hiddenSeqs: seq }, { projection: { userId: 1 } }).hint(indexNames.byHidden).toArray(),
    members.find({ conversationId, clearedSeq: { $gte: seq } }, { projection: { userId: 1 } }).hint(indexNames.byCleared).toArray()
  ])
  return [...new Set([...hiding, ...clearing].map(({ userId }) => userId.toHexString()))]
}
