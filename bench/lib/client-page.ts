import { type Client, createClient } from '../../packages/client/src/index.ts'
import { socketTransport } from '../../packages/client/src/network/socket.ts'
import { type Row, emptyConversation } from '../../packages/client/src/pure/state.ts'
import { indexedDbStorage } from '../../packages/client/src/storage/indexeddb.ts'

/** What `bench/client.ts` runs in a page, as `bench`. Times are milliseconds. */

let client: Client

/** An account of so many conversations is stored; from the client's making until its list is here. */
async function open (conversations: number, each: number): Promise<number> {
  const name = 'large'
  const storage = indexedDbStorage({ name })
  const user = { id: 'a'.repeat(24), fullName: 'Ada', username: 'ada', picture: null }
  await storage.setSession({ user, token: 't', expiresAt: Date.now() + 86_400_000 })
  const account = await storage.open(user.id)
  for (let start = 0; start < conversations; start += 100) {
    const ids = Array.from({ length: 100 }, (_, index) => `room_${start + index}`)
    const rows = ids.flatMap(id => Array.from({ length: each }, (_, index) => rowOf(id, index + 1)))
    await account.commit({
      rows,
      conversations: ids.map(id => ({
        ...emptyConversation(id, 'room'),
        cursor: 'c',
        rev: each,
        top: each,
        seen: each,
        isFresh: false,
        ranges: [[1, each]],
        name: id,
        last: rowOf(id, each)
      }))
    })
  }
  account.close()
  const begun = performance.now()
  const reader = createClient({ storage: indexedDbStorage({ name }) })
  await reader.resume()
  const shown = reader.conversations.get().filter(({ lastMessage }) => lastMessage !== undefined).length
  const took = performance.now() - begun
  await reader.close()
  if (shown !== conversations) throw new Error(`${shown} conversations are shown`)
  return took
}

function rowOf (conversationId: string, seq: number): Row {
  return {
    conversationId,
    id: `${conversationId} ${seq}`,
    seq,
    rev: seq,
    senderId: 'b'.repeat(24),
    text: `message ${seq} of ${conversationId}, of a usual length`,
    type: 'text',
    createdAt: seq,
    isDeleted: false,
    reactions: []
  }
}

async function signIn (username: string): Promise<void> {
  client = createClient({ storage: indexedDbStorage(), socket: socketTransport() })
  await client.login({ username, password: 'password-1' })
  await client.start()
}

/** Connects if it is not, and waits until the newest message is this one and all is stored. */
async function until (text: string, from: 'live' | 'syncing'): Promise<number> {
  const begun = performance.now()
  if (from === 'syncing') await client.start()
  await new Promise<void>(resolve => {
    const look = () => {
      const isHere = client.conversations.get()[0]?.lastMessage?.text === text
      if (isHere && client.connection.get().state === 'live') resolve()
      else setTimeout(look, 5)
    }
    look()
  })
  return performance.now() - begun
}

/** From `send` to the answer, one after the other: the median. */
async function echo (userId: string, count: number): Promise<number> {
  const chat = client.direct(userId)
  const times: number[] = []
  for (let number = 0; number < count; number++) {
    const begun = performance.now()
    await chat.send(`echo ${number}`)
    let end = () => {}
    await new Promise<void>(resolve => {
      end = client.outbox.subscribe(outbox => { if (outbox.length === 0) resolve() })
    })
    end()
    times.push(performance.now() - begun)
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!
}

/** A window at the newest messages, as an app has it. */
async function watch (userId: string): Promise<void> {
  const timeline = client.direct(userId).timeline({ at: 'newest' })
  timeline.messages.subscribe(() => {})
  await timeline.ready
}

export const page = { open, signIn, until, echo, watch, pause: async () => { await client.stop() } }

declare global {
  var bench: typeof page
}

globalThis.bench = page
