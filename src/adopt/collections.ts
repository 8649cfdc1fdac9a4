import type { Collection, Db, ObjectId } from 'mongodb'
import { noDeadline } from '../log/no-deadline.ts'
import type { LogRow, Rev } from '../log/model/types.ts'

type Content = Pick<LogRow, 'message' | 'messageType' | 'listingId' | 'editedAt' | 'isDeleted'>

/** A message of the old backend in the form of the log, before it has a seq and a rev. */
export interface StagedMessage extends Content {
  _id: ObjectId
  /** The id in the old backend, if that is no ObjectId. */
  oldId?: unknown
  conversationId: string
  senderId: ObjectId
  receiverId: ObjectId
  createdAt: Date
  /** When it was created or last changed. */
  changedAt: Date
  isRead: boolean
  /** Shows whether the old message has changed. */
  hash: string
}

/** How far a conversation is adopted. */
interface AdoptedConversation {
  _id: string
  /** Its staged messages are not in the log yet, or not as they are now. */
  isDirty: boolean
  /** Its rows are being written. They are deleted if that is cut short. */
  isBuilding?: boolean
  /** The head's rev when it was adopted: another one means that a server has written to it. */
  headRev?: Rev
}

interface AdoptionState {
  _id: 'state'
  /** When the last complete pass over the old messages began. */
  passedAt?: Date
  finishedAt?: Date
}

export interface AdoptCollections {
  staged: Collection<StagedMessage>
  conversations: Collection<AdoptedConversation>
  state: Collection<AdoptionState>
}

export async function openAdoption (db: Db): Promise<AdoptCollections> {
  const staged = db.collection<StagedMessage>('adopt_messages')
  const conversations = db.collection<AdoptedConversation>('adopt_conversations')
  await staged.createIndexes([{ key: { conversationId: 1 }, name: 'conversation' }], noDeadline)
  await conversations.createIndexes([{ key: { isDirty: 1, _id: 1 }, name: 'dirty' }], noDeadline)
  return { staged, conversations, state: db.collection<AdoptionState>('adopt_state') }
}
