import { indexNames } from '../../log/model/collections.ts'
import { type Member, revOf, seqOf } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { directId, objectId } from '../rules/conversation-id.ts'

/** Rooms of a user, as a range of their memberships. */
const rooms = { $gte: 'room_', $lt: 'room`' }
/** The rev at which whoever opens a room joins it. A role says less: it can be given to somebody without their doing. */
const openingRev = revOf(1)
/** Last messages of a direct conversation in which an answer is looked for. */
const answersMax = 100

/**
 * Is this a stranger to the other: do they share no direct conversation and no room in which the other has taken part?
 * Writing to somebody, or putting them into a room, makes nobody known to them.
 * @param userId @param toUserId 24-hex, in lower case
 */
export async function isStranger (context: ChatContext, userId: string, toUserId: string): Promise<boolean> {
  return !await talkDirectly(context, userId, toUserId) && !await meetInRoom(context, userId, toUserId)
}

async function talkDirectly ({ log }: ChatContext, userId: string, toUserId: string): Promise<boolean> {
  const conversationId = directId(userId, toUserId)
  const [head, member] = await Promise.all([log.head(conversationId), log.member(conversationId, objectId(toUserId))])
  if (head === undefined || member === undefined) return false
  if (hasRead(member)) return true
  // Clients that never mark anything as read are known by what they answered.
  const answer = await log.collections.rows.findOne(
    { conversationId, seq: { $gt: seqOf(head.headSeq - answersMax) }, senderId: objectId(toUserId) },
    { hint: indexNames.bySeq, projection: { _id: 1 } }
  )
  return answer !== null
}

async function meetInRoom ({ log }: ChatContext, userId: string, toUserId: string): Promise<boolean> {
  const roomsOf = (id: string) => log.collections.members
    .find({ userId: objectId(id), conversationId: rooms }, { projection: { conversationId: 1, joinedRev: 1, readSeq: 1, joinedSeq: 1 } }).hint(indexNames.byMember)
  const theirs = new Set<string>()
  for await (const member of roomsOf(toUserId)) if (member.joinedRev === openingRev || hasRead(member)) theirs.add(member.conversationId)
  if (theirs.size === 0) return false
  for await (const { conversationId } of roomsOf(userId)) if (theirs.has(conversationId)) return true
  return false
}

function hasRead ({ readSeq, joinedSeq }: Pick<Member, 'readSeq' | 'joinedSeq'>): boolean {
  return readSeq > joinedSeq
}
