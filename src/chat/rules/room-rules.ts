import { TidelogError } from '../../errors.ts'
import type { MetaPatch, MembershipStatus, MembershipRule, SendRule } from '../../log/commit/plan.ts'
import type { Head, Member, MemberRole, RoomSettings } from '../../log/model/types.ts'
import { isServerRoomId, roomIdOf } from './conversation-id.ts'

/**
 * The permissions in a room, on plain values. The log checks these rules against the state on which it commits, so that
 * a user who was removed a moment before can no longer act. A room has one owner, or none if it has no members.
 */

/** The error for a stranger: a private room looks as if it did not exist. */
export function notMemberError (head: Head | null | undefined): TidelogError {
  return head === undefined || head === null || head.deleted === true || head.isPrivate === true
    ? new TidelogError('NOT_FOUND')
    : new TidelogError('NOT_ALLOWED', 'Join the room first')
}

/** Joining a public room yourself. A member keeps their role. */
export const joinRule: MembershipRule = (member, head, { standing }) => {
  if (head === null) return 'owner'
  if (head.deleted === true) throw new TidelogError('NOT_FOUND')
  if (member !== null) return member.role
  if (head.isPrivate === true) throw new TidelogError('NOT_FOUND')
  if (standing === 'banned') throw new TidelogError('NOT_ALLOWED', 'You are banned from this room')
  // The next user to join an empty room owns it.
  return head.memberCount === 0 ? 'owner' : 'member'
}

/**
 * Giving another user a role. The owner and moderators invite; only the owner appoints moderators and hands the room
 * over.
 * @param admit called if the user would become a member; throws if they cannot
 */
export function assignRoleRule (role: MemberRole, admit = () => {}, isAdmin?: boolean): MembershipRule {
  return (member, head, { standing, actor }) => {
    const power = leading(head, actor, isAdmin)
    if (standing === role) return standing
    if (role !== 'member' || standing === 'moderator' || standing === 'owner') onlyOwner(power)
    if (role === 'owner' && member === null) throw new TidelogError('NOT_ALLOWED', 'Only a member can become the owner')
    if (member === null) admit()
    return role
  }
}

/** Taking a role yourself: joining, or stepping down as a moderator. */
export function changeOwnRoleRule (role: MemberRole): MembershipRule {
  return (member, head, others) => {
    if (member === null) {
      if (role === 'member') return joinRule(member, head, others)
      throw notMemberError(head)
    }
    if (isThere(head) && member.role === role) return role
    if (member.role === 'owner') throw handOverFirst()
    if (role !== 'member') throw new TidelogError('NOT_ALLOWED', 'You cannot give yourself a role')
    return role
  }
}

/** The other half of handing a room over: the former owner becomes a moderator. */
export const formerOwnerRule: MembershipRule = () => 'moderator'

/** Leaving. The owner must be the last to leave, or hand the room over first. */
export const leaveRule: MembershipRule = (member, head, { standing }) => {
  if (member === null) {
    if (!isThere(head) || head.isPrivate === true) throw new TidelogError('NOT_FOUND')
    return standing
  }
  if (member.role === 'owner' && head !== null && head.memberCount > 1) throw handOverFirst()
  return null
}

/** One half of a change of owner by an administrator or by succession, applied to the owner that was read. */
export function passingOn (to: MemberRole): MembershipRule {
  return member => {
    if (member?.role !== 'owner') throw new TidelogError('CONFLICT', 'The room has another owner now')
    return to
  }
}

/** The other half: a member replaces an owner who is gone. */
export const inheriting: MembershipRule = (member, head) => {
  if (!isThere(head) || member === null) throw new TidelogError('NOT_FOUND')
  return 'owner'
}

/** Removing another user. */
export function removeRule (isAdmin?: boolean): MembershipRule {
  return (member, head, { standing, actor }) => {
    const power = leading(head, actor, isAdmin)
    if (member === null) return standing
    over(power, member)
    return null
  }
}

/** Banning another user, or ending the ban. */
export function banRule (on: boolean, isAdmin?: boolean): MembershipRule {
  return (member, head, { standing, actor }) => {
    const power = leading(head, actor, isAdmin)
    if (!on) return standing === 'banned' ? null : standing
    if (member !== null) over(power, member)
    return 'banned'
  }
}

/**
 * Changing the settings. Nobody can show more of the history than they see: each message's readers were decided when it
 * was written.
 */
export function settingsRule (
  wanted: RoomSettings, isAdmin?: boolean
): (head: Head, actor: Member | null) => MetaPatch {
  return (head, actor) => {
    leading(head, actor, isAdmin)
    // Joining a chosen id reveals whether the id is taken, so a private room with a chosen id could not be kept secret.
    if (wanted.isPrivate === true && head.isPrivate !== true && !isServerRoomId(roomIdOf(head._id))) {
      throw new TidelogError(
        'NOT_ALLOWED', 'A room whose id a client chose stays public: make a room without naming its id'
      )
    }
    const changed = withoutAbsent(wanted, head)
    if (wanted.history !== 'all' || head.history !== 'joined') return changed
    return { ...changed, closedSeq: actor?.joinedSeq ?? head.headSeq }
  }
}

/** The settings of a room that has none of its own. */
export const roomDefaults = { postRole: 'member', slowModeS: 0, systemMessages: false } as const

/** Removing what a room does not have changes nothing, nor does setting what it is without a setting. */
function withoutAbsent (wanted: RoomSettings, head: RoomSettings): RoomSettings {
  const isDefault = (name: string, value: unknown) => value === null || value === roomDefaults[name as 'postRole']
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) =>
    head[name as keyof RoomSettings] !== undefined || !isDefault(name, value)))
}

/** Sending a message. Those who lead the room may always do so. */
export function sendRule (isAdmin: boolean): SendRule {
  return ({ role, sentAt }, { postRole, slowModeS = 0 }, at) => {
    if (isAdmin || role !== 'member') return
    if (postRole === 'moderator') throw new TidelogError('READ_ONLY')
    const retryAfterMs = sentAt === undefined ? 0 : sentAt.getTime() + slowModeS * 1_000 - at.getTime()
    if (retryAfterMs > 0) throw new TidelogError('SLOW_MODE', undefined, { retryAfterMs })
  }
}

/**
 * Deleting. The room becomes private, so that no list of public rooms shows it. A caller who may delete it may repeat
 * the call.
 */
export function deleteRule (isAdmin = false): (head: Head, actor: Member | null) => RoomSettings | null {
  return (head, actor) => {
    const power = isAdmin ? 'owner' : actor?.role
    if (power === undefined || (head.deleted === true && power !== 'owner')) throw notMemberError(head)
    onlyOwner(power)
    return head.deleted === true ? null : { deleted: true, isPrivate: true }
  }
}

/** Removes a member without asking; a ban stays. */
export const evictRule: MembershipRule = (_member, _head, { standing }): MembershipStatus =>
  standing === 'banned' ? standing : null

/** Leaving as an erased user. An owner stays if no active member can succeed them: a room with members has an owner. */
export const leaveForGoodRule: MembershipRule = (member, head, others) =>
  member?.role === 'owner' && head !== null && head.memberCount > 1 ? member.role : evictRule(member, head, others)

function isThere (head: Head | null): head is Head {
  if (head === null || head.deleted === true) throw new TidelogError('NOT_FOUND')
  return true
}

/** The actor's power if they lead the room. Administrators have the owner's power in every room. */
function leading (head: Head | null, actor: Member | null, isAdmin = false): MemberRole {
  if (!isThere(head)) throw notMemberError(head)
  if (isAdmin) return 'owner'
  if (actor === null) throw notMemberError(head)
  if (actor.role === 'member') {
    throw new TidelogError('NOT_ALLOWED', 'Only the owner and moderators of the room may do this')
  }
  return actor.role
}

function onlyOwner (power: MemberRole): void {
  if (power !== 'owner') throw new TidelogError('NOT_ALLOWED', 'Only the owner of the room may do this')
}

/** Moderators have power over plain members; the owner has power over all others. */
function over (power: MemberRole, { role }: Member): void {
  if (role === 'owner') throw new TidelogError('NOT_ALLOWED', 'You cannot remove, ban or demote the owner of the room')
  if (role === 'moderator') onlyOwner(power)
}

function handOverFirst (): TidelogError {
  return new TidelogError('NOT_ALLOWED', 'Hand the room over to another member first')
}
