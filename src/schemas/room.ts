import { Type } from '@sinclair/typebox'
import { RoomId, SendCommonInput } from './message.ts'

export const RoomParams = Type.Object({ roomId: RoomId })

/** A room message's body: the room stands in the path. */
export const RoomMessageInput = Type.Object(SendCommonInput.properties)
