import type { Batch, ConversationRecord, Person, Row, SelfRecord, StoredOperation } from '../pure/state.ts'
import type { OwnUser } from '../values.ts'

/**
 * Where a client keeps what it holds. A storage has one session and, for each user, an account; an account's content is
 * never shown to another user.
 */
export interface Storage {
  /** Tabs that share the storage share this name; undefined: nobody else sees it. */
  readonly sharedAs?: string | undefined
  session: () => Promise<StoredSession | null>
  setSession: (session: StoredSession | null) => Promise<void>
  open: (userId: string) => Promise<AccountStorage>
  close: () => void
}

/** Who is signed in. With tokens of a host application there is only the user. */
export interface StoredSession {
  user: OwnUser
  token?: string | undefined
  /** When the token was given and until when it is good, by this device's clock. */
  issuedAt?: number | undefined
  expiresAt?: number | undefined
  refreshToken?: string | undefined
  /** The tokens were refused. */
  expired?: boolean | undefined
}

export interface AccountStorage {
  /** All but the messages. */
  load: () => Promise<Loaded>
  /** Messages whose seq is in the range, ascending; the last `limit` of them if there are more. */
  rows: (conversationId: string, from: number, to: number, limit?: number) => Promise<Row[]>
  /** How many messages are stored. */
  count: () => Promise<number>
  /** Bytes of a file of the outbox. */
  file: (key: string) => Promise<Blob | undefined>
  /**
   * Stores all of the batch or nothing, and answers with the positions of the added operations.
   * @throws Stale if the term or an expected version is not what is stored
   */
  commit: (batch: Batch) => Promise<number[]>
  /** Becomes the writer of rows: raises the term, so that the writer before is refused. */
  takeOver: () => Promise<number>
  /** Removes everything, permanently. */
  clear: () => Promise<void>
  close: () => void
}

export interface Loaded {
  self: SelfRecord | undefined
  conversations: ConversationRecord[]
  users: Person[]
  operations: StoredOperation[]
  drafts: Array<[conversationId: string, text: string]>
  term: number
}

/** Another tab was first: load again and decide anew. */
export class Stale extends Error {
  override readonly name = 'Stale'
}
