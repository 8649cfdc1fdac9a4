import { lastActivityOf } from '../chat/conversations/last-activity.ts'
import { type View, generationOf, showsMore, viewOf } from '../chat/rules/view.ts'
import type { CursorPosition } from '../log/read/cursor.ts'
import { type Head, revOf, selfLogId, seqOf } from '../log/model/types.ts'
import type { SyncInput } from '../schemas/sync.ts'
import type { SyncContext } from './context.ts'
import type { UserConversation, UserConversations } from './user-conversations.ts'
import type { Identity } from '../users/identity.ts'
import { canResume } from '../log/read/cursor.ts'

/** Compares a client's cursors with the heads of its conversations, before anything is scanned. */

/** A conversation with changes for the client. */
export interface DueConversation {
  conversation: UserConversation
  /** Read before any scan. */
  head: Head
  view: View
  /** The client's position. Null: it has nothing usable. */
  since: CursorPosition | null
}

/** Before it is known what the client may see of it. */
type Due = Omit<DueConversation, 'view'>

export interface UserHeads {
  own: UserConversations
  selfHead: Head | undefined
  /** The requested conversations, the self log first. */
  asked: readonly UserConversation[]
  /** In the order of `asked`. Undefined: the conversation does not exist yet. */
  heads: Array<Head | undefined>
}

/**
 * Reads the current heads of the caller's conversations.
 * @param named conversations to read beside the self log; undefined: all
 */
export async function readUserHeads (
  { chat: { log }, conversations }: SyncContext, identity: Identity, named?: readonly string[]
): Promise<UserHeads> {
  // The self log first: it lists the others.
  const selfHead = await log.head(selfLogId(identity.userId))
  const mine = await conversations.get(identity, selfHead)
  const asked = named === undefined ? mine.list : conversationsOf(mine, named)
  const unknown: number[] = []
  const heads = asked.map(({ conversationId }, index) => {
    const head = index === 0 ? selfHead ?? null : log.peekHead(conversationId)
    if (head === undefined) unknown.push(index)
    return head ?? undefined
  })
  if (unknown.length > 0) {
    const found = await log.heads(unknown.map(index => asked[index]!.conversationId))
    for (const index of unknown) heads[index] = found.get(asked[index]!.conversationId)
  }
  return { own: mine, selfHead, asked, heads }
}

/** The self log, and those named conversations that belong to the caller. */
function conversationsOf ({ list, byWireId }: UserConversations, named: readonly string[]): UserConversation[] {
  const found = new Set(list.slice(0, 1))
  for (const wireId of named) {
    const conversation = byWireId.get(wireId)
    if (conversation !== undefined) found.add(conversation)
  }
  return [...found]
}

/**
 * Cursors with the heads for which nothing was due. The body of a request that was repeated is the same object
 * (`RepeatedBodies`), so that only the heads have to be compared.
 */
const upToDate = new WeakMap<object, UserHeads & { commitCount: number | undefined }>()

/** A head or a list that has changed is another object. */
function isSame (a: UserHeads, b: UserHeads): boolean {
  return a.own === b.own && a.selfHead === b.selfHead && a.heads.every((head, index) => head === b.heads[index])
}

/**
 * The conversations that have changes for a client with these cursors.
 * @throws TidelogError BAD_CURSOR
 */
export async function findDue (
  context: SyncContext, identity: Identity, { cursors = {}, only = false }: Pick<SyncInput, 'cursors' | 'only'>
): Promise<DueConversation[]> {
  // Read before the heads: after a commit in between, they are read again.
  const { commitCount } = context.chat.log
  const before = upToDate.get(cursors)
  if (before !== undefined && commitCount !== undefined && before.commitCount === commitCount) return []
  const found = await readUserHeads(context, identity, only ? Object.keys(cursors) : undefined)
  if (before !== undefined && isSame(before, found)) {
    before.commitCount = commitCount
    return []
  }
  const { own, selfHead, asked, heads } = found
  const { userId } = identity
  const due: Array<Due> = []
  let known = 0
  for (let index = 0; index < asked.length; index++) {
    const conversation = asked[index]!
    const head = heads[index]
    const cursor = cursors[conversation.wireId]
    if (cursor === null) known++
    if (cursor == null) {
      if (head !== undefined) due.push({ conversation, head, since: null })
      continue
    }
    known++
    const position = context.conversations.positionOf(userId, conversation, cursor)
    if (head === undefined) {
      // The database was restored to a time before this conversation began: the client's copy is invalid.
      if (!canResume(position, head)) due.push({ conversation, head: emptyHead(conversation), since: null })
      continue
    }
    const generation = generationOf(head, conversation.joined, selfHead)
    const isBehind = position.rev < head.headRev || position.clock < head.clock.getTime()
    if (showsMore(generation, position.generation) || !canResume(position, head)) {
      due.push({ conversation, head, since: null })
    } else if (isBehind || position.generation !== generation) {
      due.push({ conversation, head, since: position })
    }
  }
  checkOthers(context, userId, own, cursors, known)
  if (due.length === 0) {
    upToDate.set(cursors, { ...found, commitCount })
    return []
  }
  const blocked = await context.chat.blocks.getAsOf(userId, selfHead)
  return due.flatMap(one => {
    const view = viewOf(one.head, one.conversation.joined, selfHead, blocked)
    return view === null ? [] : [{ ...one, view }]
  }).sort(byPriority)
}

/** The head of a conversation without any change. Only the self log and the common chat exist from the start. */
function emptyHead ({ conversationId, wireId }: UserConversation): Head {
  return {
    _id: conversationId,
    kind: wireId === 'self' ? 'self' : 'common',
    headRev: revOf(0),
    headSeq: seqOf(0),
    clock: new Date(0),
    memberCount: 0,
    createdAt: new Date(0)
  }
}

/** Cursors of conversations that the caller has left are ignored, but they must have been given to the caller. */
function checkOthers (
  { conversations }: SyncContext,
  userId: string,
  mine: UserConversations,
  cursors: Readonly<Record<string, string | null>>,
  known: number
): void {
  const ids = Object.keys(cursors)
  if (ids.length === known) return
  for (const wireId of ids) {
    const cursor = cursors[wireId]
    if (cursor != null && !mine.byWireId.has(wireId)) conversations.decodeCursor(userId, wireId, cursor)
  }
}

/**
 * Order of a response: the self log, which tells of new conversations; then conversations that the client does not
 * have, the latest activity first; then those that have waited longest, so that at small limits a busy conversation
 * does not block the others.
 */
function byPriority (a: Due, b: Due): number {
  const rank = ({ conversation, since }: Due) => conversation.wireId === 'self' ? 0 : since === null ? 1 : 2
  const active = ({ conversation, head }: Due) => lastActivityOf(head, conversation.joined).getTime()
  return (
    rank(a) - rank(b) ||
    (a.since === null || b.since === null ? active(b) - active(a) : a.since.clock - b.since.clock)
  )
}
