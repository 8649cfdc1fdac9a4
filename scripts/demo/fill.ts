import type { Body, Voice } from './api.ts'
import { common, type Talk } from './talk.ts'
import { history } from './weeks.ts'

/** A place to say something in: a room, a direct talk, the common chat. */
export interface Place {
  voices: Map<string, Voice>
  /** Says it and answers with the stored message's id. */
  say: (who: Voice, content: string, replyTo?: string) => Promise<string>
}

/** Makes a talk's room, or takes the direct talk of its two people. */
export async function placeOf (talk: Talk, all: Map<string, Voice>): Promise<Place> {
  const voices = new Map((talk.with ?? talk.members ?? []).map(name => [name, voiceOf(all, name)]))
  const [first, ...others] = [...voices.values()]
  if (first === undefined) throw new Error('a talk without people')
  if (talk.with !== undefined) {
    return { voices, say: (who, content, replyTo) => post(who, '/api/messages', { receiverId: who === first ? others[0]?.id : first.id, content, replyTo }) }
  }
  const { room } = await first.call('POST', '/api/rooms', { name: talk.room, isPrivate: talk.isPrivate === true })
  for (const other of others) {
    const role = talk.moderators?.includes(other.username) === true ? 'moderator' : 'member'
    await first.call('PUT', `/api/rooms/${room.roomId}/members/${other.id}`, { role })
  }
  return { voices, say: (who, content, replyTo) => post(who, `/api/rooms/${room.roomId}/messages`, { content, replyTo }) }
}

export function commonPlace (all: Map<string, Voice>): Place {
  return { voices: all, say: (who, content, replyTo) => post(who, '/api/common-chat/message', { content, replyTo }) }
}

async function post (who: Voice, path: string, body: { content: string, replyTo: string | undefined, receiverId?: string | undefined }): Promise<string> {
  const { message }: Body = await who.call('POST', path, body)
  // Who writes has read what stands above.
  await who.call('PATCH', `/api/conversations/${message.conversationId}/read`, { seq: message.seq })
  return message._id
}

/** Says everything of a talk, in order: first what a place of its kind says over weeks, then its own lines. */
export async function tell (place: Place, talk: Talk, onSaid: () => void): Promise<void> {
  const said: string[] = []
  for (const line of [...history(talk), ...linesOf(talk.lines)]) {
    onSaid()
    const reaction = /^\+(\S+) (.*)$/u.exec(line)
    if (reaction !== null) {
      const [, emoji = '', names = ''] = reaction
      for (const name of names.split(' ')) await voiceOf(place.voices, name).call('PUT', `/api/messages/${said.at(-1) ?? ''}/reactions/${encodeURIComponent(emoji)}`)
      continue
    }
    const [, name = '', back, edits, text = ''] = /^(\w+)(?:<(\d+))?(~)?: (.*)$/u.exec(line) ?? []
    const who = voiceOf(place.voices, name)
    const [first = '', edited] = edits === undefined ? [text] : text.split(' => ')
    const id = await place.say(who, unfold(first), back === undefined ? undefined : said.at(-Number(back)))
    said.push(id)
    if (edited !== undefined) await who.call('PUT', `/api/messages/${id}`, { content: unfold(edited) })
  }
}

/** How many lines will be told. */
export const countLines = (talks: readonly Talk[]): number =>
  talks.reduce((sum, talk) => sum + history(talk).length + linesOf(talk.lines).length, 0) + linesOf(common).length

function linesOf (lines: string): string[] {
  return lines.split('\n').map(line => line.trim()).filter(line => line !== '')
}

function voiceOf (voices: Map<string, Voice>, name: string): Voice {
  const voice = voices.get(name)
  if (voice === undefined) throw new Error(`nobody here is called ${name}`)
  return voice
}

const unfold = (text: string): string => text.replaceAll('|', '\n')
