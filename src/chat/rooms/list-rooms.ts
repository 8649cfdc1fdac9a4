import { foldedText } from '../../lib/folded-text.ts'
import { indexNames } from '../../log/model/collections.ts'
import { type Head, nameKeyOf, selfLogId } from '../../log/model/types.ts'
import type { Room } from '../../schemas/room.ts'
import type { Identity } from '../../users/identity.ts'
import type { ChatContext } from '../context.ts'
import type { OwnMember } from '../directories/membership-directory.ts'
import { roomConversationId, roomIdOf } from '../rules/conversation-id.ts'
import {
  type RoomOrder, type RoomPlace, comparePlaces, conditionsAfter, orders, placeOf, readPlace, writePlace
} from './room-order.ts'
import { roomPayload } from './room.ts'

export interface RoomPage {
  rooms: Room[]
  hasMore: boolean
  /** Pass it to the next call; null at the end. */
  cursor: string | null
}

export interface RoomsInput {
  search?: string
  order?: RoomOrder
  cursor?: string
  limit?: number
}

/** Rooms that one call looks through for a search. */
const roomsMax = 2_000
/** Rooms of a search that are read at once. */
const atOnce = 500

/**
 * The public rooms and the caller's rooms, in an order. The public ones are read from its index, each page from the end
 * of the last one. A search looks through a bounded number of them, so a page may have few rooms, or none, and more
 * behind it.
 * @throws TidelogError BAD_CURSOR
 */
export async function listRooms (context: ChatContext, identity: Identity, input: RoomsInput): Promise<RoomPage> {
  const { search = '', order = 'id', cursor, limit = 50 } = input
  const text = foldedText(search)
  const own = await ownRooms(context, identity)
  const privateRooms = own.heads.filter(({ isPrivate, deleted }) => isPrivate === true && deleted !== true)
  const found: Head[] = []
  let place = cursor === undefined ? undefined : readPlace(order, cursor)
  const pageUntil = (end: RoomPlace | undefined): RoomPage => ({
    rooms: found.map(head => roomPayload(head, own.memberships.get(head._id))),
    hasMore: end !== undefined,
    cursor: end === undefined ? null : writePlace(order, end)
  })
  for (let looked = 0; ;) {
    const open = await publicRooms(context, order, place, text === '' ? limit + 1 : atOnce)
    for (const head of merged(order, place, open, privateRooms)) {
      if (found.length === limit) return pageUntil(place)
      place = placeOf(order, head)
      if (text === '' || isNamed(head, text)) found.push(head)
      looked++
    }
    if (open.isEnd) return pageUntil(undefined)
    if (looked >= roomsMax) return pageUntil(place)
  }
}

/** The caller's memberships, and the heads of the rooms among them. */
async function ownRooms (
  { log, memberships }: ChatContext, identity: Identity
): Promise<{ heads: Head[], memberships: ReadonlyMap<string, OwnMember> }> {
  const { byConversation } = await memberships.of(identity, await log.head(selfLogId(identity.userId)))
  const heads = await log.heads([...byConversation.keys()].filter(id => id.startsWith(roomConversationId(''))))
  return { heads: [...heads.values()], memberships: byConversation }
}

interface PublicRooms {
  heads: Head[]
  /** No public room comes after these. */
  isEnd: boolean
}

async function publicRooms (
  { log }: ChatContext, order: RoomOrder, after: RoomPlace | undefined, count: number
): Promise<PublicRooms> {
  const { field, direction, hint } = orders[order]
  const sort = { isPrivate: direction, ...(field === undefined ? {} : { [field]: direction }), _id: direction }
  const heads: Head[] = []
  for (const condition of conditionsAfter(order, after)) {
    const rest = count - heads.length
    if (rest === 0) break
    heads.push(...await log.collections.heads.find({ isPrivate: false, ...condition })
      .sort(sort).hint(hint).limit(rest).batchSize(rest + 1).toArray())
  }
  return { heads, isEnd: heads.length < count }
}

/** The public rooms that were read, and the private ones between the place and the last of them, in order. */
function merged (
  order: RoomOrder, after: RoomPlace | undefined, { heads, isEnd }: PublicRooms, privateRooms: readonly Head[]
): Head[] {
  const last = heads.at(-1)
  const until = isEnd || last === undefined ? undefined : placeOf(order, last)
  const between = privateRooms.filter(head => {
    const place = placeOf(order, head)
    return (after === undefined || comparePlaces(order, place, after) > 0) &&
      (until === undefined || comparePlaces(order, place, until) < 0)
  })
  return [...heads, ...between].sort((a, b) => comparePlaces(order, placeOf(order, a), placeOf(order, b)))
}

function isNamed (head: Head, text: string): boolean {
  return (head.nameKey ?? nameKeyOf(head).nameKey ?? foldedText(roomIdOf(head._id))).includes(text)
}

/** Gives the public rooms of older databases the key by which they are sorted. */
export async function fillRoomNames ({ log }: ChatContext): Promise<void> {
  const { heads } = log.collections
  for (;;) {
    const some = await heads.find({ isPrivate: false, nameKey: null as never, name: { $type: 'string' } })
      .hint(indexNames.roomsByName).limit(atOnce).batchSize(atOnce + 1).toArray()
    if (some.length === 0) return
    // A commit that renames the room meanwhile sets the key itself.
    await heads.bulkWrite(some.map(head => ({
      updateOne: { filter: { _id: head._id, nameKey: { $exists: false } }, update: { $set: nameKeyOf(head) } }
    })), { ordered: false })
  }
}
