import type { Texts } from './en.ts'
import { app, tide, presence, time, errors } from './de/shell.ts'
import { chat, emoji, events } from './de/chat.ts'
import { faults } from './de/faults.ts'
import { files } from './de/files.ts'
import { list, hello, settle } from './de/list.ts'
import { rooms, members } from './de/rooms.ts'
import { search } from './de/search.ts'
import { settings, keys, picture } from './de/settings.ts'
import { signIn } from './de/door.ts'

/** Alle Texte auf Deutsch. */
export const de: Texts = {
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
