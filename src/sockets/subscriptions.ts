import type { ChatContext } from '../chat/context.ts'
import { commonChatId, objectId } from '../chat/rules/conversation-id.ts'
import { type JoinInfo, afterSeqOf, showsAllAlike } from '../chat/rules/view.ts'
import type { Head, LogRow, Member, Rev } from '../log/model/types.ts'
import { Blockers } from './blockers.ts'
import type { Positions } from './positions.ts'
import { type ChatServer, type ChatSocket, liveRoom, placeRoom, userRoom } from './types.ts'
import type { Identity } from '../users/identity.ts'

/**
 * Which sockets of this process follow which conversation, and what of it each user may not see. A socket is let in after
 * a look at its user's membership during which none of their memberships changed and nothing passed unseen, or by the change
 * that made them a member; it is taken out by the change that removes them, before any later one is sent. If that broke,
 * somebody who was removed would go on hearing a room.
 */
export class Subscriptions {
  private readonly io: ChatServer
  private readonly chat: ChatContext
  private readonly positions: Positions
  readonly blockers: Blockers
  /** For users with sockets here, how often their memberships have changed: what was read before may be older. */
  private readonly changes = new Map<string, number>()
  /** Memberships of who follows a room, by `placeRoom`. */
  private readonly joined = new Map<string, JoinInfo>()
  /** For each room, the rev of the last joining of those who follow it. */
  private readonly lastJoined = new Map<string, Rev>()
  /** Sockets that wait for the change that makes their user a member, by `placeRoom`. */
  private readonly expected = new Map<string, Set<ChatSocket>>()
  /** What each socket has left by itself: nothing but a joining brings it back. */
  private readonly left = new WeakMap<ChatSocket, Set<string>>()

  constructor (io: ChatServer, chat: ChatContext, positions: Positions) {
    this.io = io
    this.chat = chat
    this.positions = positions
    this.blockers = new Blockers(chat.blocks, userId => this.rooms.has(userRoom(userId)))
  }

  /** Forgets who has gone from now on; called when the adapter is what it will be. */
  start (): void {
    this.io.of('/').adapter.on('delete-room', (room: string) => {
      this.joined.delete(room)
      this.lastJoined.delete(room)
      if (room.startsWith(userRoom(''))) this.drop(room.slice(userRoom('').length))
    })
  }

  /** Lets a socket in if its user is a member; says whether it is in. */
  async enter (socket: ChatSocket, conversationId: string): Promise<boolean> {
    const { identity } = socket.data.session
    await this.know(identity)
    for (;;) {
      const changes = this.changes.get(identity.userId)
      const { checks } = this.positions
      const member = await this.chat.log.member(conversationId, identity.id)
      if (changes !== this.changes.get(identity.userId) || this.positions.wasChecked(conversationId, checks)) continue
      if (member === undefined) return false
      this.join(socket, conversationId, member)
      return true
    }
  }

  /** Lets a socket into the conversations that `read` brings, and into no others; it is asked again if they changed meanwhile. */
  async enterAll (socket: ChatSocket, read: () => Promise<ReadonlyArray<{ conversationId: string, joined: JoinInfo | undefined }>>): Promise<void> {
    const { identity } = socket.data.session
    await this.know(identity)
    for (;;) {
      const changes = this.changes.get(identity.userId)
      const { checks } = this.positions
      const all = await read()
      if (changes !== this.changes.get(identity.userId)) continue
      this.leaveOthers(socket, new Set(all.map(({ conversationId }) => conversationId)))
      const places = all.filter(({ conversationId }) => this.left.get(socket)?.has(conversationId) !== true)
      const again = this.positions.checks === checks ? [] : places.filter(({ conversationId }) => this.positions.wasChecked(conversationId, checks))
      for (const place of places) if (!again.includes(place)) this.join(socket, place.conversationId, place.joined)
      await Promise.all(again.map(async ({ conversationId, joined }) => {
        if (joined === undefined) this.join(socket, conversationId, undefined)
        else await this.enter(socket, conversationId)
      }))
      return
    }
  }

  async enterCommonChat (socket: ChatSocket): Promise<void> {
    await this.know(socket.data.session.identity)
    this.join(socket, commonChatId, undefined)
  }

  /** From now on the change that makes its user a member lets this socket in, until the returned function is called. */
  async expect (socket: ChatSocket, conversationId: string): Promise<() => void> {
    const { identity } = socket.data.session
    await this.know(identity)
    const place = placeRoom(conversationId, identity.userId)
    const sockets = this.expected.get(place) ?? new Set()
    this.expected.set(place, sockets.add(socket))
    return () => {
      sockets.delete(socket)
      if (sockets.size === 0 && this.expected.get(place) === sockets) this.expected.delete(place)
    }
  }

  /** Ends the live delivery of a conversation on a socket that wants no more of it. */
  quit (socket: ChatSocket, conversationId: string): void {
    if (socket.rooms.has(conversationId)) this.left.set(socket, (this.left.get(socket) ?? new Set()).add(conversationId))
    this.leave(socket, conversationId)
  }

  /** A socket wants all of its user's conversations, those that it has left too. */
  wantAll (socket: ChatSocket): void {
    this.left.delete(socket)
  }

  leave (socket: ChatSocket, conversationId: string): void {
    void socket.leave(conversationId)
    void socket.leave(placeRoom(conversationId, socket.data.session.identity.userId))
  }

  /** @param isNew they were no member before */
  membershipBegan (conversationId: string, userId: string, joined: JoinInfo, isNew: boolean): void {
    this.membershipChanged(userId)
    const place = placeRoom(conversationId, userId)
    if (this.joined.has(place)) this.setJoined(conversationId, place, joined)
    for (const socket of this.expected.get(place) ?? []) this.join(socket, conversationId, joined)
    if (isNew) for (const socket of this.socketsIn(liveRoom(userId))) this.join(socket, conversationId, joined)
  }

  /** @param rev where it ended; who is known to have come back since stays */
  membershipEnded (conversationId: string, userId: string, rev: Rev): void {
    this.membershipChanged(userId)
    const place = placeRoom(conversationId, userId)
    if ((this.joined.get(place)?.joinedRev ?? 0) > rev) return
    for (const socket of this.socketsIn(place)) this.leave(socket, conversationId)
  }

  /**
   * Takes out of a room whoever is no member any more, and learns when the others joined.
   * @param userIds further users whose memberships are wanted
   * @returns memberships of all of them, by user
   */
  async check (conversationId: string, userIds: readonly string[]): Promise<Map<string, Member>> {
    const seen = new Map<string, { member: Member | undefined, joined: JoinInfo | undefined }>()
    for (;;) {
      const here = new Set(this.socketsIn(conversationId).map(socket => socket.data.session.identity.userId))
      // Who came in meanwhile, or again, is looked up too.
      const unseen = [...new Set([...here, ...userIds])].filter(userId => {
        const found = seen.get(userId)
        return found === undefined || (here.has(userId) && found.joined !== this.joined.get(placeRoom(conversationId, userId)))
      })
      if (unseen.length === 0) break
      await Promise.all(unseen.map(async userId => {
        const joined = this.joined.get(placeRoom(conversationId, userId))
        seen.set(userId, { member: await this.chat.log.member(conversationId, objectId(userId)), joined })
      }))
    }
    for (const [userId, { member }] of seen) {
      const place = placeRoom(conversationId, userId)
      if (member !== undefined && this.joined.has(place)) this.setJoined(conversationId, place, member)
      else if (member === undefined) for (const socket of this.socketsIn(place)) this.leave(socket, conversationId)
    }
    return new Map([...seen].flatMap(([userId, { member }]) => member === undefined ? [] : [[userId, member]]))
  }

  /** Users who follow a room and joined it after this rev. */
  joinedAfter (conversationId: string, rev: Rev): string[] {
    if (rev >= (this.lastJoined.get(conversationId) ?? 0)) return []
    const userIds = new Set(this.socketsIn(conversationId).map(socket => socket.data.session.identity.userId))
    return [...userIds].filter(userId => (this.joined.get(placeRoom(conversationId, userId))?.joinedRev ?? 0) > rev)
  }

  /** Nobody follows this conversation any more. */
  conversationEnded (conversationId: string): void {
    for (const socket of this.socketsIn(conversationId)) this.leave(socket, conversationId)
  }

  /** Users with sockets in a room or the common chat who may not see this message of it. */
  hiddenFrom ({ conversationId, senderId, seq }: LogRow, isNew: boolean, head: Head | undefined): string[] {
    const hidden = this.blockersIn(conversationId, senderId!.toHexString())
    // A new one is behind everybody's joining.
    if (isNew || head === undefined || showsAllAlike(head)) return hidden
    for (const { data: { session: { identity: { userId } } } } of this.socketsIn(conversationId)) {
      const joined = this.joined.get(placeRoom(conversationId, userId))
      if (joined !== undefined && seq! <= afterSeqOf(head, joined) && !hidden.includes(userId)) hidden.push(userId)
    }
    return hidden
  }

  /** Users with sockets in a room or the common chat who have blocked this one. */
  blockersIn (conversationId: string, userId: string): string[] {
    return [...this.blockers.of(userId)].filter(blocker => this.rooms.has(placeRoom(conversationId, blocker)))
  }

  /** Sockets of this process in a Socket.IO room. */
  socketsIn (room: string): ChatSocket[] {
    const { sockets } = this.io.of('/')
    return [...this.rooms.get(room) ?? []].flatMap(id => sockets.get(id) ?? [])
  }

  /** Rooms, and the common chat, that a socket follows. */
  followedBy (socket: ChatSocket): string[] {
    const suffix = placeRoom('', socket.data.session.identity.userId)
    return [...socket.rooms].flatMap(room => room.endsWith(suffix) ? [room.slice(0, -suffix.length)] : [])
  }

  countIn (room: string): number {
    return this.rooms.get(room)?.size ?? 0
  }

  /** Users who have sockets here that follow all their conversations. */
  liveUsers (): string[] {
    const prefix = liveRoom('')
    return [...this.rooms.keys()].flatMap(room => room.startsWith(prefix) ? [room.slice(prefix.length)] : [])
  }

  private get rooms (): Map<string, Set<string>> {
    return this.io.of('/').adapter.rooms
  }

  private leaveOthers (socket: ChatSocket, conversationIds: ReadonlySet<string>): void {
    for (const conversationId of this.followedBy(socket)) if (!conversationIds.has(conversationId)) this.leave(socket, conversationId)
  }

  private join (socket: ChatSocket, conversationId: string, joined: JoinInfo | undefined): void {
    if (!socket.connected) return
    this.left.get(socket)?.delete(conversationId)
    const place = placeRoom(conversationId, socket.data.session.identity.userId)
    void socket.join([conversationId, place])
    if (joined !== undefined) this.setJoined(conversationId, place, joined)
  }

  private setJoined (conversationId: string, place: string, joined: JoinInfo): void {
    this.joined.set(place, joined)
    if (joined.joinedRev > (this.lastJoined.get(conversationId) ?? 0)) this.lastJoined.set(conversationId, joined.joinedRev)
  }

  /** From now on changes of their memberships are counted, and it is known whom they have blocked. */
  private async know ({ userId }: Identity): Promise<void> {
    // Of a user whose last socket has gone meanwhile, nothing is kept.
    if (this.rooms.has(userRoom(userId)) && !this.changes.has(userId)) this.changes.set(userId, 0)
    await this.blockers.know(userId)
  }

  private membershipChanged (userId: string): void {
    const changes = this.changes.get(userId)
    if (changes !== undefined) this.changes.set(userId, changes + 1)
  }

  private drop (userId: string): void {
    this.changes.delete(userId)
    this.blockers.drop(userId)
  }
}
