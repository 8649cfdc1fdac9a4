import { TidelogError } from '../../errors.ts'
import type { MetaPatch, MembershipStatus, MembershipRule } from '../../log/commit/plan.ts'
import type { Head, Member, MemberRole, RoomSettings } from '../../log/model/types.ts'
import { isServerRoomId, roomIdOf } from './conversation-id.ts'

/**
 * Who may do what in a room, on plain values: the log asks these rules about the state on which it commits, so that
 * somebody who is removed a moment before cannot act any more. A room has one owner, or for want of members none.
 */

/** What a user who is no member of a room is told: that it is not there, unless it is public. */
export function notMemberError (head: Head | null | undefined): TidelogError {
  return head === undefined || head === null || head.deleted === true || head.isPrivate === true
    ? new TidelogError('NOT_FOUND')
    : new TidelogError('NOT_ALLOWED', 'Join the room first')
}

/** Joining by oneself: public rooms only. Whoever is in already stays what they are. */
export const joinRule: MembershipRule = (member, head, { standing }) => {
  if (head === null) return 'owner'
  if (head.deleted === true) throw new TidelogError('NOT_FOUND')
  if (member !== null) return member.role
  if (head.isPrivate === true) throw new TidelogError('NOT_FOUND')
  if (standing === 'banned') throw new TidelogError('NOT_ALLOWED', 'You are banned from this room')
  // A room that everybody has left belongs to who comes next.
  return head.memberCount === 0 ? 'owner' : 'member'
}

/**
 * Giving somebody else a role. Owner and moderators invite; the owner alone names moderators and hands the room over.
 * @param admit called when somebody would become a member; throws why they cannot
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

/** Taking a role oneself: joining, or a moderator's stepping down. */
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

/** The other half of handing a room over: who was the owner moderates it. */
export const formerOwnerRule: MembershipRule = () => 'moderator'

/** Leaving. The owner goes last, or hands the room over. */
export const leaveRule: MembershipRule = (member, head, { standing }) => {
  if (member === null) {
    if (!isThere(head) || head.isPrivate === true) throw new TidelogError('NOT_FOUND')
    return standing
  }
  if (member.role === 'owner' && head !== null && head.memberCount > 1) throw handOverFirst()
  return null
}

/** The half of a change of owner that an administrator or the owner's end brings about, for the owner as they were read. */
export function passingOn (to: MemberRole): MembershipRule {
  return member => {
    if (member?.role !== 'owner') throw new TidelogError('CONFLICT', 'The room has another owner now')
    return to
  }
}

/** The other half of it, where the owner is gone: a member takes their place. */
export const inheriting: MembershipRule = (member, head) => {
  if (!isThere(head) || member === null) throw new TidelogError('NOT_FOUND')
  return 'owner'
}

/** Removing somebody else. */
export function removeRule (isAdmin?: boolean): MembershipRule {
  return (member, head, { standing, actor }) => {
    const power = leading(head, actor, isAdmin)
    if (member === null) return standing
    over(power, member)
    return null
  }
}

/** Keeping somebody else out for good, or ending that. */
export function banRule (on: boolean, isAdmin?: boolean): MembershipRule {
  return (member, head, { standing, actor }) => {
    const power = leading(head, actor, isAdmin)
    if (!on) return standing === 'banned' ? null : standing
    if (member !== null) over(power, member)
    return 'banned'
  }
}

/** Changing the settings. Nobody opens more of the history than they see: who may see a message was decided when it was written. */
export function settingsRule (wanted: RoomSettings, isAdmin?: boolean): (head: Head, actor: Member | null) => MetaPatch {
  return (head, actor) => {
    leading(head, actor, isAdmin)
    // Whoever joins an id that they choose learns whether it is taken: a private room of such an id could not be kept secret.
    if (wanted.isPrivate === true && head.isPrivate !== true && !isServerRoomId(roomIdOf(head._id))) {
      throw new TidelogError('NOT_ALLOWED', 'A room whose id a client chose stays public: make a room without naming its id')
    }
    if (wanted.history === 'all' && head.history === 'joined') return { ...wanted, closedSeq: actor?.joinedSeq ?? head.headSeq }
    return wanted
  }
}

/** Deleting: the room is private from then on, so that no list of public rooms has it. Whoever may delete it may ask again. */
export function deleteRule (isAdmin = false): (head: Head, actor: Member | null) => RoomSettings | null {
  return (head, actor) => {
    const power = isAdmin ? 'owner' : actor?.role
    if (power === undefined || (head.deleted === true && power !== 'owner')) throw notMemberError(head)
    onlyOwner(power)
    return head.deleted === true ? null : { deleted: true, isPrivate: true }
  }
}

/** Everybody goes from a room that is deleted. */
export const evictRule: MembershipRule = (_member, _head, { standing }): MembershipStatus => standing === 'banned' ? standing : null

function isThere (head: Head | null): head is Head {
  if (head === null || head.deleted === true) throw new TidelogError('NOT_FOUND')
  return true
}

/** What power those have who ask, if they lead the room. Administrators govern any as its owner does. */
function leading (head: Head | null, actor: Member | null, isAdmin = false): MemberRole {
  if (!isThere(head)) throw notMemberError(head)
  if (isAdmin) return 'owner'
  if (actor === null) throw notMemberError(head)
  if (actor.role === 'member') throw new TidelogError('NOT_ALLOWED', 'Only the owner and moderators of the room may do this')
  return actor.role
}

function onlyOwner (power: MemberRole): void {
  if (power !== 'owner') throw new TidelogError('NOT_ALLOWED', 'Only the owner of the room may do this')
}

/** Moderators have power over plain members, the owner over all others. */
function over (power: MemberRole, { role }: Member): void {
  if (role === 'owner') throw new TidelogError('NOT_ALLOWED', 'You cannot remove, ban or demote the owner of the room')
  if (role === 'moderator') onlyOwner(power)
}

function handOverFirst (): TidelogError {
  return new TidelogError('NOT_ALLOWED', 'Hand the room over to another member first')
}
