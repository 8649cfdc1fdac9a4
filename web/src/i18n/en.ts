import { app, tide, presence, time, errors } from './en/shell.ts'
import { chat, emoji, events } from './en/chat.ts'
import { faults } from './en/faults.ts'
import { files } from './en/files.ts'
import { list, hello, settle } from './en/list.ts'
import { rooms, members } from './en/rooms.ts'
import { search } from './en/search.ts'
import { settings, keys, picture } from './en/settings.ts'
import { signIn } from './en/door.ts'

/** All texts in English, a file for each screen; their type is that of every other language. */
export const en = {
  app,
  tide,
  presence,
  time,
  errors,
  signIn,
  list,
  hello,
  settle,
  chat,
  events,
  emoji,
  files,
  rooms,
  members,
  search,
  settings,
  picture,
  keys,
  faults
}

/** The same texts in another language. */
export type Texts = Widen<typeof en>

type Widen<T> = T extends string
  ? string
  : T extends (...args: infer A) => string
    ? (...args: A) => string
    : { [K in keyof T]: Widen<T[K]> }
