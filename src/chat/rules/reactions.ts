import type { ObjectId } from 'mongodb'
import type { Reactions } from '../../log/model/types.ts'
import type { Reaction } from '../../schemas/message.ts'

/** The reactions of a message, on plain values. */

/** Kinds of reactions that a message takes. */
export const reactionKindsMax = 20
/** Reactions of all kinds that a message takes: each change of one rewrites them all. */
export const reactionsMax = 5_000
/** Users of a kind who are named in a payload. */
const namedMax = 50

/** Characters that one user takes: 12 bytes in base64 have no padding, so that each stands at a multiple of it. */
const idChars = 16

// A pictograph with its modifier, variation or tags, and what is joined to it; a flag; or a keycap. Each is one grapheme.
const pictograph = '\\p{Extended_Pictographic}(?:\\p{Emoji_Modifier}\\ufe0f?|[\\ufe0e\\ufe0f]\\u20e3?|[\\u{e0020}-\\u{e007e}]+\\u{e007f})?'
const oneEmoji = new RegExp(`^(?:${pictograph}(?:\\u200d${pictograph})*|\\p{Regional_Indicator}{2}|[0-9#*]\\ufe0f?\\u20e3)$`, 'u')
/** In UTF-8: the longest that are in use (two people of different skin, and a heart) take 35. */
const emojiBytesMax = 64

const variation = /[\ufe0e\ufe0f]/g

/** Emoji that differ only in how they ask to be drawn, as text or as a picture, are one. */
function isSame (a: string, b: string): boolean {
  return a === b || a.replace(variation, '') === b.replace(variation, '')
}

/** Is this one emoji, as people see them? It is kept as whoever came first with it gave it. */
export function isEmoji (text: string): boolean {
  return text.length <= emojiBytesMax && oneEmoji.test(text) && Buffer.byteLength(text) <= emojiBytesMax
}

export function hasReacted (reactions: Reactions | undefined, emoji: string, userId: ObjectId): boolean {
  return reactions?.some(reaction => isSame(reaction.emoji, emoji) && placeOf(reaction.users, textOf(userId)) !== -1) === true
}

/** With one user's reaction more, behind the others of its kind; null: the message takes no more. The user has not reacted so. */
export function withReaction (reactions: Reactions, emoji: string, userId: ObjectId): Reactions | null {
  if (reactions.reduce((sum, { users }) => sum + users.length / idChars, 0) >= reactionsMax) return null
  const kind = reactions.find(reaction => isSame(reaction.emoji, emoji))
  if (kind !== undefined) return reactions.map(reaction => reaction === kind ? { ...kind, users: kind.users + textOf(userId) } : reaction)
  return reactions.length >= reactionKindsMax ? null : [...reactions, { emoji, users: textOf(userId) }]
}

/** Without one user's reaction; a kind that nobody is left of goes. */
export function withoutReaction (reactions: Reactions, emoji: string, userId: ObjectId): Reactions {
  return reactions.flatMap(reaction => {
    const place = isSame(reaction.emoji, emoji) ? placeOf(reaction.users, textOf(userId)) : -1
    if (place === -1) return [reaction]
    const users = reaction.users.slice(0, place) + reaction.users.slice(place + idChars)
    return users === '' ? [] : [{ ...reaction, users }]
  })
}

/** As clients get them: who reacted first stands first. @param hidden users whose reactions the viewer is not shown, in hex */
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

/** Who reacted to a message, in hex. */
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
  return Array.from({ length: users.length / idChars }, (_, index) => users.slice(index * idChars, (index + 1) * idChars))
}

function textOf (userId: ObjectId): string {
  return Buffer.from(userId.id).toString('base64url')
}

function placeOf (users: string, text: string): number {
  let place = users.indexOf(text)
  while (place !== -1 && place % idChars !== 0) place = users.indexOf(text, place + 1)
  return place
}
