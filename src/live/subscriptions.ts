import type { ChatContext } from '../chat/context.ts'
import { commonChatId, objectId, otherUser, parseConversationId } from '../chat/rules/conversation-id.ts'
import { type JoinInfo, afterSeqOf, showsAllAlike } from '../chat/rules/view.ts'
import { type Head, type LogRow, type Member, type Rev, selfLogOwner } from '../log/model/types.ts'
import { audienceOf } from './audience.ts'
import { BlockIndex } from './block-index.ts'
import {
  type ChatServer, type ChatSocket, directRoom, liveRoom, memberRoom, userRoom
} from '../connection/socket-types.ts'
import type { Watermarks } from './watermarks.ts'
import type { Identity } from '../users/identity.ts'
import { onRoomDeleted, roomsOf, socketsIn } from '../connection/socket-io.ts'

/** A conversation to which a socket may subscribe, with the user's membership. */
interface Subscribable {
  conversationId: string
  /** Undefined in the common chat. */
  joined: JoinInfo | undefined
}

/**
 * Which sockets of this process get which conversation live, and what each user may not see of it. A socket subscribes
 * in one of two ways: after a read of its user's membership during which none of the user's memberships changed and
 * nothing passed unseen; or by the change that made the user a member. The change that removes the user unsubscribes
 * the socket, before any later change is sent. If that broke, a removed user would still get the room.
 */
export class Subscriptions {
  private readonly io: ChatServer
  private readonly chat: ChatContext
  private readonly watermarks: Watermarks
  readonly blocks: BlockIndex
  /** Counts membership changes of users with sockets here: a read that began before the last one may be stale. */
  private readonly membershipVersion = new Map<string, number>()
  /** Memberships of subscribers, by `memberRoom`. */
  private readonly joinInfo = new Map<string, JoinInfo>()
  /** For each room, the rev of its subscribers' last joining. */
  private readonly lastJoined = new Map<string, Rev>()
  /** Sockets that wait for the change that makes their user a member, by `memberRoom`. */
  private readonly expected = new Map<string, Set<ChatSocket>>()
  /** Conversations from which each socket has unsubscribed itself. Only a new joining subscribes it again. */
  private readonly unsubscribed = new WeakMap<ChatSocket, Set<string>>()
  /** The conversations that a socket has named; it gets no others live. Missing: it has named none, and gets all. */
  private readonly named = new WeakMap<ChatSocket, Set<string>>()

  constructor (io: ChatServer, chat: ChatContext, watermarks: Watermarks) {
    this.io = io
    this.chat = chat
    this.watermarks = watermarks
    this.blocks = new BlockIndex(chat.blocks, userId => this.rooms.has(userRoom(userId)))
  }

  /** Call this once the final adapter is set: from then on users whose last socket closed are dropped. */
  start (): void {
    onRoomDeleted(this.io, room => {
      this.joinInfo.delete(room)
      this.lastJoined.delete(room)
      if (room.startsWith(userRoom(''))) this.untrack(room.slice(userRoom('').length))
    })
  }

  /** Subscribes a socket if its user is a member. @returns whether it is subscribed */
  async subscribe (socket: ChatSocket, conversationId: string): Promise<boolean> {
    const { identity } = socket.data.session
    await this.track(identity)
    for (;;) {
      const version = this.membershipVersion.get(identity.userId)
      const { verificationCount } = this.watermarks
      const member = await this.chat.log.member(conversationId, identity.id)
      if (version !== this.membershipVersion.get(identity.userId)) continue
      if (this.watermarks.verifiedSince(conversationId, verificationCount)) continue
      if (member === undefined) return false
      this.join(socket, conversationId, member)
      return true
    }
  }

  /**
   * Subscribes a socket to exactly those conversations that `read` returns and the socket wants, and to the direct ones
   * that it has named. If memberships change meanwhile, it calls `read` again.
   */
  async subscribeAll (socket: ChatSocket, read: () => Promise<readonly Subscribable[]>): Promise<void> {
    const { identity } = socket.data.session
    await this.track(identity)
    for (;;) {
      const version = this.membershipVersion.get(identity.userId)
      const { verificationCount } = this.watermarks
      const all = [...await read(), ...this.namedDirects(socket)]
      if (version !== this.membershipVersion.get(identity.userId)) continue
      const wanted = all.filter(({ conversationId }) => this.wants(socket, conversationId))
      this.removeOthers(socket, new Set(wanted.map(({ conversationId }) => conversationId)))
      const isOld = ({ conversationId }: Subscribable) =>
        this.watermarks.verifiedSince(conversationId, verificationCount)
      const again = this.watermarks.verificationCount === verificationCount ? [] : wanted.filter(isOld)
      for (const one of wanted) if (!again.includes(one)) this.join(socket, one.conversationId, one.joined)
      await Promise.all(again.map(async ({ conversationId, joined }) => {
        if (joined === undefined) this.join(socket, conversationId, undefined)
        else await this.subscribe(socket, conversationId)
      }))
      return
    }
  }

  async subscribeCommonChat (socket: ChatSocket): Promise<void> {
    await this.track(socket.data.session.identity)
    this.join(socket, commonChatId, undefined)
  }

  /** Subscribes this socket when a change makes its user a member, until you call the returned function. */
  async subscribeOnJoin (socket: ChatSocket, conversationId: string): Promise<() => void> {
    const { identity } = socket.data.session
    await this.track(identity)
    const room = memberRoom(conversationId, identity.userId)
    const sockets = this.expected.get(room) ?? new Set()
    this.expected.set(room, sockets.add(socket))
    return () => {
      sockets.delete(socket)
      if (sockets.size === 0 && this.expected.get(room) === sockets) this.expected.delete(room)
    }
  }

  /** Ends a conversation's live delivery on one socket, at that socket's request. */
  unsubscribe (socket: ChatSocket, conversationId: string): void {
    if (socket.rooms.has(conversationId)) {
      this.unsubscribed.set(socket, (this.unsubscribed.get(socket) ?? new Set()).add(conversationId))
    }
    this.removeSocket(socket, conversationId)
  }

  /**
   * Sets which of its user's conversations a socket wants: all, or those that it names. From now on it gets no other
   * direct one; `subscribeAll` subscribes it to the rest.
   */
  choose (socket: ChatSocket, named: readonly string[] | undefined): void {
    this.unsubscribed.delete(socket)
    if (named === undefined) this.named.delete(socket)
    else this.named.set(socket, new Set(named))
    if (!socket.connected) return
    const { userId } = socket.data.session.identity
    // Before it leaves the room of all of them, so that it misses nothing of those that it named.
    for (const { conversationId } of this.namedDirects(socket)) this.join(socket, conversationId, undefined)
    void (named === undefined ? socket.join(directRoom(userId)) : socket.leave(directRoom(userId)))
  }

  /** Does a socket that asked for its user's conversations want this one? */
  wants (socket: ChatSocket, conversationId: string): boolean {
    return this.unsubscribed.get(socket)?.has(conversationId) !== true &&
      this.named.get(socket)?.has(conversationId) !== false
  }

  /** Has this socket named the conversations that it wants? */
  isChoosy (socket: ChatSocket): boolean {
    return this.named.has(socket)
  }

  removeSocket (socket: ChatSocket, conversationId: string): void {
    void socket.leave(conversationId)
    void socket.leave(memberRoom(conversationId, socket.data.session.identity.userId))
  }

  /** @param isNew they were not a member before */
  membershipBegan (conversationId: string, userId: string, joined: JoinInfo, isNew: boolean): void {
    this.membershipChanged(userId)
    const room = memberRoom(conversationId, userId)
    if (this.joinInfo.has(room)) this.setJoinInfo(conversationId, room, joined)
    for (const socket of this.expected.get(room) ?? []) this.join(socket, conversationId, joined)
    if (!isNew) return
    for (const socket of this.socketsOf(liveRoom(userId))) {
      // A new joining ends an earlier unsubscribing.
      if (this.named.get(socket)?.has(conversationId) !== false) this.join(socket, conversationId, joined)
    }
  }

  /** @param rev the rev that ended it; a user who is known to have come back since stays subscribed */
  membershipEnded (conversationId: string, userId: string, rev: Rev): void {
    this.membershipChanged(userId)
    const room = memberRoom(conversationId, userId)
    if ((this.joinInfo.get(room)?.joinedRev ?? 0) > rev) return
    for (const socket of this.socketsOf(room)) this.removeSocket(socket, conversationId)
  }

  /**
   * Unsubscribes users who are no longer members, and reads when the others joined.
   * @param userIds further users whose memberships to read
   * @returns the memberships of all of them, by user
   */
  async verifyMembers (conversationId: string, userIds: readonly string[]): Promise<Map<string, Member>> {
    const seen = new Map<string, { member: Member | undefined, joined: JoinInfo | undefined }>()
    for (;;) {
      const here = new Set(this.userIdsOf(conversationId))
      // Users who subscribed, or came back, meanwhile are looked up too.
      const unseen = [...new Set([...here, ...userIds])].filter(userId => {
        const found = seen.get(userId)
        if (found === undefined) return true
        return here.has(userId) && found.joined !== this.joinInfo.get(memberRoom(conversationId, userId))
      })
      if (unseen.length === 0) break
      await Promise.all(unseen.map(async userId => {
        const joined = this.joinInfo.get(memberRoom(conversationId, userId))
        seen.set(userId, { member: await this.chat.log.member(conversationId, objectId(userId)), joined })
      }))
    }
    for (const [userId, { member }] of seen) {
      const room = memberRoom(conversationId, userId)
      if (member !== undefined && this.joinInfo.has(room)) this.setJoinInfo(conversationId, room, member)
      else if (member === undefined) {
        for (const socket of this.socketsOf(room)) this.removeSocket(socket, conversationId)
      }
    }
    return new Map([...seen].flatMap(([userId, { member }]) => member === undefined ? [] : [[userId, member]]))
  }

  /** Subscribers of a room who joined it after this rev. */
  joinedAfter (conversationId: string, rev: Rev): string[] {
    if (rev >= (this.lastJoined.get(conversationId) ?? 0)) return []
    const joinedRev = (userId: string) => this.joinInfo.get(memberRoom(conversationId, userId))?.joinedRev ?? 0
    return [...new Set(this.userIdsOf(conversationId))].filter(userId => joinedRev(userId) > rev)
  }

  /** Unsubscribes everybody from a conversation that has ended. */
  conversationEnded (conversationId: string): void {
    for (const socket of this.socketsOf(conversationId)) this.removeSocket(socket, conversationId)
  }

  /** Users with sockets in a room or the common chat who may not see this message. */
  hiddenFrom ({ conversationId, senderId, seq }: LogRow, isNew: boolean, head: Head | undefined): string[] {
    const hidden = this.blockersIn(conversationId, senderId!.toHexString())
    // A new message comes after every joining.
    if (isNew || head === undefined || showsAllAlike(head)) return hidden
    for (const userId of this.userIdsOf(conversationId)) {
      const joined = this.joinInfo.get(memberRoom(conversationId, userId))
      if (joined !== undefined && seq! <= afterSeqOf(head, joined) && !hidden.includes(userId)) hidden.push(userId)
    }
    return hidden
  }

  /** Users with sockets in a room or the common chat who have blocked this user. */
  blockersIn (conversationId: string, userId: string): string[] {
    return [...this.blocks.blockersOf(userId)].filter(blocker => this.rooms.has(memberRoom(conversationId, blocker)))
  }

  /** Does a socket of this process get events of this log? Blocks in a self log reach every socket of its owner. */
  hasSubscribers (conversationId: string): boolean {
    const owner = selfLogOwner(conversationId)
    return (owner === undefined ? audienceOf(conversationId) : [userRoom(owner)]).some(room => this.rooms.has(room))
  }

  /** Sockets of this process in a Socket.IO room. */
  socketsOf (room: string): ChatSocket[] {
    return socketsIn(this.io, [room])
  }

  /** Rooms, and the common chat, to which a socket is subscribed. */
  subscribedBy (socket: ChatSocket): string[] {
    const suffix = memberRoom('', socket.data.session.identity.userId)
    return [...socket.rooms].flatMap(room => room.endsWith(suffix) ? [room.slice(0, -suffix.length)] : [])
  }

  countIn (room: string): number {
    return this.rooms.get(room)?.size ?? 0
  }

  /** Users with sockets here that get all of their conversations live. */
  liveUsers (): string[] {
    const prefix = liveRoom('')
    return [...this.rooms.keys()].flatMap(room => room.startsWith(prefix) ? [room.slice(prefix.length)] : [])
  }

  private get rooms (): ReadonlyMap<string, ReadonlySet<string>> {
    return roomsOf(this.io)
  }

  /** The user of each socket in a Socket.IO room. */
  private userIdsOf (room: string): string[] {
    return this.socketsOf(room).map(({ data }) => data.session.identity.userId)
  }

  /** Direct conversations need no membership: their ids name both users. They need not have begun. */
  private namedDirects (socket: ChatSocket): Subscribable[] {
    const { userId } = socket.data.session.identity
    return [...this.named.get(socket) ?? []].flatMap(id => {
      const ref = parseConversationId(id)
      const isOwn = ref?.kind === 'direct' && otherUser(ref, userId) !== undefined
      return isOwn ? [{ conversationId: ref.conversationId, joined: undefined }] : []
    })
  }

  private removeOthers (socket: ChatSocket, conversationIds: ReadonlySet<string>): void {
    const others = this.subscribedBy(socket).filter(conversationId => !conversationIds.has(conversationId))
    for (const conversationId of others) this.removeSocket(socket, conversationId)
  }

  private join (socket: ChatSocket, conversationId: string, joined: JoinInfo | undefined): void {
    if (!socket.connected) return
    this.unsubscribed.get(socket)?.delete(conversationId)
    this.named.get(socket)?.add(conversationId)
    const room = memberRoom(conversationId, socket.data.session.identity.userId)
    void socket.join([conversationId, room])
    if (joined !== undefined) this.setJoinInfo(conversationId, room, joined)
  }

  private setJoinInfo (conversationId: string, room: string, joined: JoinInfo): void {
    this.joinInfo.set(room, joined)
    const { joinedRev } = joined
    if (joinedRev > (this.lastJoined.get(conversationId) ?? 0)) this.lastJoined.set(conversationId, joinedRev)
  }

  /** Starts to count a user's membership changes, and loads their blocks. */
  private async track ({ userId }: Identity): Promise<void> {
    // If the user's last socket has closed meanwhile, nothing is kept.
    if (this.rooms.has(userRoom(userId)) && !this.membershipVersion.has(userId)) this.membershipVersion.set(userId, 0)
    await this.blocks.load(userId)
  }

  private membershipChanged (userId: string): void {
    const version = this.membershipVersion.get(userId)
    if (version !== undefined) this.membershipVersion.set(userId, version + 1)
  }

  private untrack (userId: string): void {
    this.membershipVersion.delete(userId)
    this.blocks.delete(userId)
  }
}
