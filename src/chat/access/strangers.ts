import { indexNames } from '../../log/model/collections.ts'
import { type Member, revOf, seqOf } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { directId, objectId, roomRange } from '../rules/conversation-id.ts'

/** A member who joined at this rev opened the room. The role proves less: somebody else can assign it. */
const openingRev = revOf(1)
/** Newest messages of a direct conversation that are searched for an answer. */
const answersMax = 100

/**
 * Is this user a stranger to the other? They are strangers unless they share a direct conversation or a room in which
 * the other user has taken part. Writing to people, or adding them to a room, does not make you known to them.
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
  // A client that never marks messages as read may still have answered.
  const answer = await log.collections.rows.findOne(
    { conversationId, seq: { $gt: seqOf(head.headSeq - answersMax) }, senderId: objectId(toUserId) },
    { hint: indexNames.bySeq, projection: { _id: 1 } }
  )
  return answer !== null
}

async function meetInRoom ({ log }: ChatContext, userId: string, toUserId: string): Promise<boolean> {
  const roomsOf = (id: string) =>
    log.collections.members
      .find(
        { userId: objectId(id), conversationId: roomRange },
        { projection: { conversationId: 1, joinedRev: 1, readSeq: 1, joinedSeq: 1 } }
      )
      .hint(indexNames.byMember)
  const theirs = new Set<string>()
  for await (const member of roomsOf(toUserId)) {
    if (member.joinedRev === openingRev || hasRead(member)) theirs.add(member.conversationId)
  }
  if (theirs.size === 0) return false
  for await (const { conversationId } of roomsOf(userId)) if (theirs.has(conversationId)) return true
  return false
}

function hasRead ({ readSeq, joinedSeq }: Pick<Member, 'readSeq' | 'joinedSeq'>): boolean {
  return readSeq > joinedSeq
}
