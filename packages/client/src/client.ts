import { conversationOf } from './api/conversation.ts'
import { lazily } from './api/lazily.ts'
import { membersOf } from './api/members.ts'
import { outboxOf } from './api/operations.ts'
import { PresenceState } from './api/presence.ts'
import { Summaries } from './api/summaries.ts'
import { TypingState } from './api/typing.ts'
import { UploadState } from './api/upload-state.ts'
import { People, usersApi } from './api/users.ts'
import { systemClock, systemRandom } from './clock.ts'
import { Core } from './core.ts'
import { Device } from './device.ts'
import { loaded } from './errors.ts'
import { Http } from './network/http.ts'
import type { Later, Parts } from './parts.ts'
import { commonId } from './pure/state.ts'
import { SessionState } from './session.ts'
import { memoryStorage } from './storage/memory.ts'
import { inTurnsOfTabs } from './turns.ts'
import type { Account, Client, ClientOptions, Conversation, Files, Rooms } from './types.ts'

/** A client, without the parts that are loaded later. */
export function makeClient (options: ClientOptions, later: Later): Client {
  const { url = (globalThis as { location?: { origin: string } }).location?.origin ?? '', storage = memoryStorage(), clock = systemClock, random = systemRandom } = options
  const { sharedAs } = storage
  const http: Http = new Http({
    url, clock, fetch: options.fetch ?? ((...given) => globalThis.fetch(...given)), token: () => session.tokens.token(), renew: refused => session.tokens.renew(refused)
  })
  const core: Core = new Core({ http, clock, random })
  const typing = new TypingState(core)
  const presence = new PresenceState(core)
  const people = new People(core)
  const uploads = new UploadState(core)
  const summaries = new Summaries(core)
  const device: Device = new Device({
    core,
    url,
    storage,
    socket: options.socket,
    tabs: options.tabs ?? true,
    keep: options.keep ?? 100_000,
    session: () => session,
    lead: given => loaded(later.leader(given)),
    typing,
    presence,
    people,
    uploads
  })
  const session: SessionState = new SessionState({
    core, storage, auth: options.auth, exclusively: inTurnsOfTabs(sharedAs === undefined ? undefined : `${sharedAs}:token`), onChange: () => { device.tellSession() }
  })
  const conversations = new Map<string, Conversation>()
  const conversation = (id: string): Conversation => {
    const held = conversations.get(id) ?? conversationOf(id, {
      core,
      typing,
      membersOf: of => membersOf(core, of, () => rooms),
      summaryOf: of => summaries.of(of),
      prepare: file => files.prepare(file)
    })
    conversations.set(id, held)
    return held
  }
  const files: Files = {
    progress: uploads.progress,
    pending: async id => await core.signedIn.file(id),
    ...lazily<Pick<Files, 'prepare'>>({ prepare: true }, later.preparing),
    ...lazily<Pick<Files, 'get' | 'url' | 'upload'>>({ get: true, url: true, upload: true }, () => later.files(parts))
  }
  const parts: Parts = {
    core,
    people,
    files,
    conversation,
    sync: given => device.sync(given),
    onMe: user => session.changed(user),
    signOut: () => device.signOut()
  }
  const rooms = lazily<Rooms>({
    list: true,
    get: true,
    create: true,
    update: true,
    setPicture: true,
    delete: true,
    join: true,
    leave: true,
    members: true,
    setMember: true,
    bans: true,
    ban: true
  }, () => later.rooms(parts))

  return {
    session: session.state,
    connection: device.connection,
    conversations: summaries.list,
    outbox: outboxOf(core),
    rooms,
    users: usersApi(core, people, () => later.users(parts)),
    files,
    account: lazily<Account>(
      { me: true, sessions: true, endSession: true, changePassword: true, erase: true }, () => later.account(parts)
    ),
    register: (input, given) => device.signIn(() => session.register(input, given)),
    login: (input, given) => device.signIn(() => session.login(input, given)),
    logout: given => device.signOut(given),
    resume: () => device.resume(),
    start: () => device.start(),
    stop: () => device.stop(),
    sync: given => device.sync(given),
    close: () => device.close(),
    conversation,
    direct: userId => conversation(core.directId(userId)),
    room: roomId => conversation(`room_${roomId}`),
    common: conversation(commonId),
    presence: userIds => presence.of(userIds),
    ...lazily<Pick<Client, 'search' | 'find'>>({ search: true, find: true }, () => later.search(parts)),
    async * inbox (given) { yield * (await loaded(later.inbox(parts)))(given) },
    on: (event, fn) => core.on(event, fn),
    inspect: () => device.inspect()
  }
}
