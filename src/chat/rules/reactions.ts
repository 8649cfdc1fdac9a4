import type { ObjectId } from 'mongodb'
import type { Reactions } from '../../log/model/types.ts'
import type { Reaction } from '../../schemas/message.ts'

/** The reactions of a message, on plain values. */

/** Kinds of reactions that one message can have. */
export const reactionKindsMax = 20
/** Reactions of all kinds that one message can have: each change rewrites them all. */
export const reactionsMax = 5_000
/** Users named in a payload for each kind. */
const namedMax = 50

/** Characters of one user's id: 12 bytes in base64 have no padding, so each id starts at a multiple of it. */
const idChars = 16

// A pictograph with its modifier, variation or tags, and the pictographs joined to it; a flag; or a keycap. Each is one
// grapheme.
const pictograph =
  '\\p{Extended_Pictographic}(?:\\p{Emoji_Modifier}\\ufe0f?|[\\ufe0e\\ufe0f]\\u20e3?|[\\u{e0020}-\\u{e007e}]+\\u{e007f})?'
const oneEmoji = new RegExp(
  `^(?:${pictograph}(?:\\u200d${pictograph})*|\\p{Regional_Indicator}{2}|[0-9#*]\\ufe0f?\\u20e3)$`, 'u'
)
/** Bytes in UTF-8: the longest emoji in use (two people of different skin, and a heart) takes 35. */
const emojiBytesMax = 64

const variation = /[\ufe0e\ufe0f]/g

/** Ignores the variation that asks for text or picture style. */
function isSame (a: string, b: string): boolean {
  return a === b || a.replace(variation, '') === b.replace(variation, '')
}

/** Is this one emoji, as people see it? The first user's form of it is stored. */
export function isEmoji (text: string): boolean {
  return text.length <= emojiBytesMax && oneEmoji.test(text) && Buffer.byteLength(text) <= emojiBytesMax
}

export function hasReacted (reactions: Reactions | undefined, emoji: string, userId: ObjectId): boolean {
  return (
    reactions?.some(reaction => isSame(reaction.emoji, emoji) && placeOf(reaction.users, textOf(userId)) !== -1) ===
    true
  )
}

/**
 * Adds one user's reaction after the others of its kind; null: the message is full. The user must not have this
 * reaction yet.
 */
export function withReaction (reactions: Reactions, emoji: string, userId: ObjectId): Reactions | null {
  if (reactions.reduce((sum, { users }) => sum + users.length / idChars, 0) >= reactionsMax) return null
  const kind = reactions.find(reaction => isSame(reaction.emoji, emoji))
  if (kind !== undefined) {
    return reactions.map(reaction => reaction === kind ? { ...kind, users: kind.users + textOf(userId) } : reaction)
  }
  return reactions.length >= reactionKindsMax ? null : [...reactions, { emoji, users: textOf(userId) }]
}

/** Removes one user's reaction, and its kind if no user is left. */
export function withoutReaction (reactions: Reactions, emoji: string, userId: ObjectId): Reactions {
  return reactions.flatMap(reaction => {
    const place = isSame(reaction.emoji, emoji) ? placeOf(reaction.users, textOf(userId)) : -1
    if (place === -1) return [reaction]
    const users = reaction.users.slice(0, place) + reaction.users.slice(place + idChars)
    return users === '' ? [] : [{ ...reaction, users }]
  })
}

/**
 * The reactions as clients get them, in the order of reacting.
 * @param hidden users whose reactions the viewer does not see, in hex
 */
export function reactionsPayload (reactions: Reactions | undefined, hidden?: ReadonlySet<string>): Reaction[] {
  if (reactions === undefined) return []
  return withoutHidden(reactions, hidden).map(({ emoji, users }) => {
    const userIds: string[] = []
    for (let place = 0; place < users.length && userIds.length < namedMax; place += idChars) {
      userIds.push(Buffer.from(users.slice(place, place + idChars), 'base64url').toString('hex'))
    }
    return { emoji, count: users.length / idChars, userIds }
  })
}

/** The users who reacted with this emoji, in hex. @param hidden users whom the viewer does not see */
export function reactorsWith (reactions: Reactions = [], emoji: string, hidden?: ReadonlySet<string>): string[] {
  return reactorsOf(withoutHidden(reactions, hidden).filter(reaction => isSame(reaction.emoji, emoji)))
}

/** The users who reacted to a message, in hex. */
export function reactorsOf (reactions: Reactions): string[] {
  return reactions.flatMap(({ users }) => textsOf(users).map(text => Buffer.from(text, 'base64url').toString('hex')))
}

function withoutHidden (reactions: Reactions, hidden: ReadonlySet<string> | undefined): Reactions {
  if (hidden === undefined || hidden.size === 0) return reactions
  const texts = new Set([...hidden].map(id => Buffer.from(id, 'hex').toString('base64url')))
  return reactions.flatMap(reaction => {
    const users = textsOf(reaction.users).filter(text => !texts.has(text)).join('')
    return users === '' ? [] : [{ ...reaction, users }]
  })
}

function textsOf (users: string): string[] {
  return Array.from({ length: users.length / idChars }, (_, index) =>
    users.slice(index * idChars, (index + 1) * idChars)
  )
}

function textOf (userId: ObjectId): string {
  return Buffer.from(userId.id).toString('base64url')
}

function placeOf (users: string, text: string): number {
  let place = users.indexOf(text)
  while (place !== -1 && place % idChars !== 0) place = users.indexOf(text, place + 1)
  return place
}
