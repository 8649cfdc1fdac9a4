import { TidelogError } from '../../errors.ts'
import { indexNames } from '../../log/model/collections.ts'
import { type Head, nameKeyOf } from '../../log/model/types.ts'
import { normalRoomId, roomConversationId, roomIdOf } from '../rules/conversation-id.ts'

/** The orders of a list of rooms, on plain values. Each is that of an index of the public rooms. */

export type RoomOrder = 'id' | 'active' | 'members' | 'name'

/** A room's place in an order. The id decides between equal values. */
export interface RoomPlace {
  /** Null: the head lacks the field. A time is in milliseconds since 1970. */
  value: string | number | null
  /** The conversation's id. */
  id: string
}

interface Order {
  field: 'nameKey' | 'memberCount' | 'lastMessageAt' | undefined
  direction: 1 | -1
  hint: string
}

export const orders: Readonly<Record<RoomOrder, Order>> = {
  id: { field: undefined, direction: 1, hint: indexNames.publicRooms },
  name: { field: 'nameKey', direction: 1, hint: indexNames.roomsByName },
  members: { field: 'memberCount', direction: -1, hint: indexNames.roomsByMembers },
  active: { field: 'lastMessageAt', direction: -1, hint: indexNames.roomsByActivity }
}

export function placeOf (order: RoomOrder, head: Head): RoomPlace {
  switch (order) {
    case 'id': return { value: null, id: head._id }
    // Only public rooms are sorted by an index, so only theirs must be as it is stored.
    case 'name': {
      const { nameKey = head.isPrivate === true ? nameKeyOf(head).nameKey : undefined } = head
      return { value: nameKey ?? null, id: head._id }
    }
    case 'members': return { value: head.memberCount, id: head._id }
    case 'active': return { value: head.lastMessageAt?.getTime() ?? null, id: head._id }
  }
}

/** Compares as the database does: null first, texts by their bytes. */
export function comparePlaces (order: RoomOrder, a: RoomPlace, b: RoomPlace): number {
  return orders[order].direction * (compareValues(a.value, b.value) || compareValues(a.id, b.id))
}

function compareValues (a: RoomPlace['value'], b: RoomPlace['value']): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return Number(a !== null) - Number(b !== null)
}

/** The conditions on what comes after a place, in order; each one's rooms come before those of the next. */
export function conditionsAfter (order: RoomOrder, after: RoomPlace | undefined): object[] {
  if (after === undefined) return [{}]
  const { field, direction } = orders[order]
  const [next, lowest] = direction === 1 ? ['$gt', '$gte'] : ['$lt', '']
  const behind = { _id: { [next!]: after.id } }
  if (field === undefined) return [behind]
  const { value } = after
  const stored = field === 'lastMessageAt' && value !== null ? new Date(value) : value
  const equal = { [field]: stored, ...behind }
  if (value === null) return direction === 1 ? [equal, { [field]: { [lowest!]: '' } }] : [equal]
  const further = { [field]: { [next!]: stored } }
  return direction === 1 ? [equal, further] : [equal, further, { [field]: null }]
}

/** By id, a cursor is the room's id: clients may hold one from before there were other orders. */
export function writePlace (order: RoomOrder, { value, id }: RoomPlace): string {
  return order === 'id' ? roomIdOf(id) : Buffer.from(JSON.stringify([order, value, roomIdOf(id)])).toString('base64url')
}

/** @throws TidelogError BAD_CURSOR */
export function readPlace (order: RoomOrder, cursor: string): RoomPlace {
  if (order === 'id') return { value: null, id: roomConversationId(normalRoomId(cursor)) }
  let given: unknown
  try {
    given = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    throw new TidelogError('BAD_CURSOR')
  }
  const [of, value, roomId, ...more] = Array.isArray(given) ? given as unknown[] : []
  const isWhole = of === order && typeof roomId === 'string' && more.length === 0
  if (!isWhole || !isValueOf(order, value)) throw new TidelogError('BAD_CURSOR')
  return { value, id: roomConversationId(roomId) }
}

/** The last time that a `Date` can hold. */
const timeMax = 8.64e15

function isValueOf (order: RoomOrder, value: unknown): value is RoomPlace['value'] {
  if (value === null) return true
  if (order === 'name') return typeof value === 'string'
  return Number.isSafeInteger(value) && Math.abs(value as number) <= timeMax
}
