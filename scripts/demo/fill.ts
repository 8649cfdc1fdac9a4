import { type Body, upload, type Voice } from './api.ts'
import { portrait } from './portraits.ts'
import { isNewcomer, type Talk } from './talk.ts'
import { view } from './views.ts'
import { history } from './weeks.ts'

interface Said { content: string, replyTo?: string | undefined, attachments?: Array<{ fileId: string }> }

/** A place to say something in: a room, a direct talk, the common chat. */
export interface Place {
  voices: Map<string, Voice>
  /** Says it and answers with the stored message's id. */
  say: (who: Voice, said: Said) => Promise<string>
  /** Of the room, if it is one. */
  members?: string
}

/** Gives somebody their portrait. */
export async function dress (who: Voice): Promise<void> {
  const drawn = who.hasPicture ? undefined : portrait(who.username)
  if (drawn === undefined) return
  await who.call('PUT', '/api/users/me/avatar', { fileId: await upload(who, who.username, drawn) })
}

/** Makes a talk's room, or takes the direct talk of its two people, or the common chat. */
export async function placeOf (talk: Talk, all: Map<string, Voice>): Promise<Place> {
  if (talk.with === undefined && talk.room === undefined) {
    return { voices: all, say: (who, said) => post(who, '/api/common-chat/message', said) }
  }
  const voices = new Map((talk.with ?? talk.members ?? []).map(name => [name, voiceOf(all, name)]))
  const [first, ...others] = [...voices.values()]
  if (first === undefined) throw new Error('a talk without people')
  if (talk.with !== undefined) {
    return {
      voices,
      say: (who, said) =>
        post(who, '/api/messages', { receiverId: who === first ? others[0]?.id : first.id, ...said })
    }
  }
  const { room } = await first.call('POST', '/api/rooms', {
    name: talk.room,
    topic: talk.topic,
    isPrivate: talk.isPrivate === true,
    systemMessages: true,
    ...(talk.view === undefined
      ? {}
      : { picture: { fileId: await upload(first, talk.view, view(talk.view, 256, 256)) } })
  })
  const path = `/api/rooms/${room.roomId}`
  for (const other of others) {
    if (isNewcomer(talk, other.username)) continue
    const role = talk.moderators?.includes(other.username) === true ? 'moderator' : 'member'
    await first.call('PUT', `${path}/members/${other.id}`, { role })
  }
  return { voices, members: `${path}/members`, say: (who, said) => post(who, `${path}/messages`, said) }
}

async function post (who: Voice, path: string, body: Said & { receiverId?: string | undefined }): Promise<string> {
  const { message }: Body = await who.call('POST', path, body)
  // Who writes has read what stands above.
  await who.call('PATCH', `/api/conversations/${message.conversationId}/read`, { seq: message.seq })
  return message._id
}

/** Something that somebody does in a place. */
export type Step = () => Promise<void>

/** What happens in a place, in order: first what a place of its kind says over weeks, then the talk's own lines. */
export function stepsOf (place: Place, talk: Talk): Step[] {
  const said: string[] = []
  return linesOf(talk).map(line => () => tell(place, line, said))
}

async function tell (place: Place, line: string, said: string[]): Promise<void> {
  const reaction = /^\+(\S+) (.*)$/u.exec(line)
  if (reaction !== null) {
    const [, emoji = '', names = ''] = reaction
    for (const name of names.split(' ')) {
      await voiceOf(place.voices, name).call(
        'PUT', `/api/messages/${said.at(-1) ?? ''}/reactions/${encodeURIComponent(emoji)}`
      )
    }
    return
  }
  const newcomer = /^> (\w+)$/.exec(line)
  if (newcomer !== null) {
    await voiceOf(place.voices, newcomer[1] ?? '').call('PUT', `${place.members ?? ''}/me`, {})
    return
  }
  const [, name = '', back, edits, text = '', pictures = ''] =
    /^(\w+)(?:<(\d+))?(~)?: (.*?)((?: \{\w+\})*)$/u.exec(line) ?? []
  const who = voiceOf(place.voices, name)
  const fileIds = await Promise.all(
    [...pictures.matchAll(/\w+/g)].map(([name]) => upload(who, name, view(name, 960, 540)))
  )
  const [first = '', ...rest] = edits === undefined ? [text] : text.split(' => ')
  const edited = rest.length === 0 ? undefined : rest.join(' => ')
  const id = await place.say(who, {
    content: unfold(first),
    replyTo: back === undefined ? undefined : said.at(-Number(back)),
    ...(fileIds.length === 0 ? {} : { attachments: fileIds.map(fileId => ({ fileId })) })
  })
  said.push(id)
  if (edited !== undefined) await who.call('PUT', `/api/messages/${id}`, { content: unfold(edited) })
}

/** The lines of a talk, with those that it has behind it. */
function linesOf (talk: Talk): string[] {
  return [...history(talk), ...ownLines(talk)]
}

/** A talk's own lines. */
export function ownLines ({ lines }: Talk): string[] {
  return lines.split('\n').map(line => line.trim()).filter(line => line !== '')
}

function voiceOf (voices: Map<string, Voice>, name: string): Voice {
  const voice = voices.get(name)
  if (voice === undefined) throw new Error(`nobody here is called ${name}`)
  return voice
}

const unfold = (text: string): string => text.replaceAll('|', '\n')
