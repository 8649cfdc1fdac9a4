import { type DBSchema, type IDBPDatabase, type IDBPTransaction, type StoreNames, deleteDB, openDB } from 'idb'
import {
  type Batch, type ConversationRecord, type Person, type Row, type SelfRecord, type StoredOperation, noSettings
} from '../pure/state.ts'
import { type AccountStorage, type Loaded, Stale, type Storage, type StoredSession } from './storage.ts'

interface AccountSchema extends DBSchema {
  messages: { key: [string, number], value: Row }
  conversations: { key: string, value: ConversationRecord }
  users: { key: string, value: Person }
  outbox: { key: number, value: Omit<StoredOperation, 'position'> & { position?: number } }
  drafts: { key: string, value: string }
  files: { key: string, value: Blob }
  meta: { key: string, value: unknown }
}

interface DeviceSchema extends DBSchema { session: { key: string, value: StoredSession } }

/** What of the browser is used; this file is checked without its types too. */
const browser = globalThis as unknown as {
  navigator?: { storage?: { persist?: () => Promise<boolean> } }
  IDBKeyRange: { bound: (from: unknown, to: unknown) => never }
}

/** A newer client may have changed what is stored: each step of a version stands in `upgrade`. */
const version = 4

type StoreName = 'messages' | 'conversations' | 'users' | 'outbox' | 'drafts' | 'files' | 'meta'
const loaded: StoreName[] = ['conversations', 'users', 'outbox', 'drafts', 'meta']

export interface IndexedDbOptions {
  /** What databases are named after, if several applications share an origin. */
  name?: string
}

/** Keeps everything in IndexedDB: one database for each user, and one for the session. */
export function indexedDbStorage ({ name = 'tidelog' }: IndexedDbOptions = {}): Storage {
  const device = new Database<DeviceSchema>(name, (database, from) => {
    if (from < 1) database.createObjectStore('session')
  })
  return {
    sharedAs: name,
    session: async () => await device.use(async database => await database.get('session', 'session')) ?? null,
    setSession: async session => {
      await device.use(async database => {
        const { store, done } = database.transaction('session', 'readwrite', { durability: 'strict' })
        await Promise.all([session === null ? store.delete('session') : store.put(session, 'session'), done])
      })
    },
    open: async userId => {
      // Browsers that ask the user, do; others decide by themselves. Nothing waits for it.
      browser.navigator?.storage?.persist?.().catch(() => {})
      return new Account(`${name}:${userId}`)
    },
    close: () => { device.close() }
  }
}

type Migration<S extends DBSchema> = IDBPTransaction<S, ArrayLike<StoreNames<S>>, 'versionchange'>
/** @param from the version that is stored; 0: none */
type Upgrade<S extends DBSchema> = (database: IDBPDatabase<S>, from: number, transaction: Migration<S>) => void

/** A database that is opened when it is used, and again after another tab's upgrade or the browser closed it. */
class Database<S extends DBSchema> {
  readonly name: string
  private readonly upgrade: Upgrade<S>
  private opened: Promise<IDBPDatabase<S>> | undefined

  constructor (name: string, upgrade: Upgrade<S>) {
    this.name = name
    this.upgrade = upgrade
  }

  async use<T> (work: (database: IDBPDatabase<S>) => Promise<T>): Promise<T> {
    try {
      return await work(await this.open())
    } catch (error) {
      // It was closed between two calls: nothing was done.
      if (!isClosed(error)) throw error
      this.opened = undefined
      return await work(await this.open())
    }
  }

  private async open (): Promise<IDBPDatabase<S>> {
    const forget = () => { if (this.opened === opened) this.opened = undefined }
    const opened = this.opened ?? openDB<S>(this.name, version, {
      upgrade: (database, from, _to, transaction) => { this.upgrade(database, from, transaction) },
      blocking: (_current, _blocked, event) => {
        forget();
        (event.target as unknown as { close: () => void }).close()
      },
      terminated: forget
    })
    this.opened = opened
    opened.catch(forget)
    return await opened
  }

  close (): void {
    const { opened } = this
    this.opened = undefined
    opened?.then(database => { database.close() }, () => {})
  }

  async delete (): Promise<void> {
    this.close()
    await deleteDB(this.name)
  }
}

/** A transaction on a closing connection does not begin. */
function isClosed (error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidStateError'
}

function createStores (database: IDBPDatabase<AccountSchema>): void {
  database.createObjectStore('messages', { keyPath: ['conversationId', 'seq'] })
  database.createObjectStore('conversations', { keyPath: 'id' })
  database.createObjectStore('users', { keyPath: 'id' })
  database.createObjectStore('outbox', { keyPath: 'position', autoIncrement: true })
  database.createObjectStore('drafts')
  database.createObjectStore('meta')
}

/** Version 1 did not keep what was cleared and hidden: the user's own log is asked for again. */
async function forgetSelf (transaction: Migration<AccountSchema>): Promise<void> {
  const meta = transaction.objectStore('meta')
  const self = await meta.get('self') as SelfRecord | undefined
  if (self === undefined) return
  const settings = Object.fromEntries(Object.entries(self.settings).map(([id, one]) => [id, { ...noSettings, ...one }]))
  await meta.put({ ...self, cursor: '', settings }, 'self')
}

type Write = IDBPTransaction<AccountSchema, StoreName[], 'readwrite'>

class Account implements AccountStorage {
  private readonly database: Database<AccountSchema>

  constructor (name: string) {
    this.database = new Database<AccountSchema>(name, (database, from, transaction) => {
      if (from < 1) createStores(database)
      if (from < 3) database.createObjectStore('files')
      // An index that nothing read.
      if (from > 0 && from < 4) transaction.objectStore('messages').deleteIndex('id' as never)
      // One that fails aborts the upgrade, which `openDB` tells.
      if (from === 1) forgetSelf(transaction).catch(() => {})
    })
  }

  async load (): Promise<Loaded> {
    return await this.database.use(async database => {
      const transaction = database.transaction(loaded, 'readonly')
      const store = <N extends StoreName>(name: N) => transaction.objectStore(name)
      const [conversations, users, operations, draftIds, drafts, self, term] = await Promise.all([
        store('conversations').getAll(), store('users').getAll(), store('outbox').getAll(), store('drafts').getAllKeys(), store('drafts').getAll(),
        store('meta').get('self'), store('meta').get('term')
      ])
      return {
        self: self as SelfRecord | undefined,
        conversations,
        users,
        operations: operations as StoredOperation[],
        drafts: draftIds.map((id, index): [string, string] => [id, drafts[index]!]),
        term: (term as number | undefined) ?? 0
      }
    })
  }

  async rows (id: string, from: number, to: number, limit?: number): Promise<Row[]> {
    return await this.database.use(async database => {
      const range = seqs(id, from, to)
      if (limit === undefined || to - from < limit) return await database.getAll('messages', range)
      const rows: Row[] = []
      for (let cursor = await database.transaction('messages').store.openCursor(range, 'prev'); cursor !== null && rows.length < limit; cursor = await cursor.continue()) {
        rows.push(cursor.value)
      }
      return rows.reverse()
    })
  }

  async count (): Promise<number> {
    return await this.database.use(database => database.count('messages'))
  }

  async file (key: string): Promise<Blob | undefined> {
    return await this.database.use(database => database.get('files', key))
  }

  async commit (batch: Batch): Promise<number[]> {
    return await this.database.use(async database => {
      const transaction = database.transaction(storesOf(batch), 'readwrite', { durability: isPrecious(batch) ? 'strict' : 'relaxed' })
      try {
        const [positions] = await Promise.all([write(transaction as Write, batch).catch((error: unknown) => {
          abort(transaction as Write)
          throw error
        }), transaction.done])
        return positions
      } catch (error) {
        transaction.done.catch(() => {})
        throw error
      }
    })
  }

  async takeOver (): Promise<number> {
    return await this.database.use(async database => {
      const transaction = database.transaction('meta', 'readwrite', { durability: 'strict' })
      const term = ((await transaction.store.get('term')) as number | undefined ?? 0) + 1
      await Promise.all([transaction.store.put(term, 'term'), transaction.done])
      return term
    })
  }

  async clear (): Promise<void> {
    await this.database.delete()
  }

  close (): void {
    this.database.close()
  }
}

function abort (transaction: Write): void {
  try {
    transaction.abort()
  } catch {
    // It ended by itself, with the same error.
  }
}

/** What nobody else has. */
function isPrecious ({ add = [], put = [], settle = [], drafts = [] }: Batch): boolean {
  return add.length + put.length + settle.length + drafts.length > 0
}

/** A transaction keeps others off the stores that it names. */
function storesOf (batch: Batch): StoreName[] {
  const {
    drop = [], dropRows = [], purge = [], hide = [], rows = [], conversations = [], users = [],
    add = [], put = [], settle = [], drafts = [], files = [], dropFiles = []
  } = batch
  const names: Array<[StoreName, number]> = [
    ['messages', drop.length + dropRows.length + purge.length + hide.length + rows.length],
    ['conversations', drop.length + conversations.length],
    ['users', users.length], ['outbox', add.length + put.length + settle.length], ['drafts', drafts.length],
    ['files', files.length + dropFiles.length],
    ['meta', Number(batch.self !== undefined || batch.term !== undefined)]
  ]
  const used = names.flatMap(([name, count]) => count > 0 ? [name] : [])
  return used.length > 0 ? used : ['meta']
}

async function write (transaction: Write, batch: Batch): Promise<number[]> {
  const store = <N extends StoreName>(name: N) => transaction.objectStore(name)
  const {
    drop = [], dropRows = [], purge = [], hide = [], rows = [], conversations = [], users = [],
    add = [], put = [], settle = [], drafts = [], files = [], dropFiles = [], self, term
  } = batch
  await check(transaction, { put, settle, term })
  const done: Array<Promise<unknown>> = []
  for (const id of drop) done.push(heard(store('conversations').delete(id)))
  for (const id of [...drop, ...dropRows]) done.push(heard(store('messages').delete(seqs(id, 0, Infinity))))
  for (const [id, through] of purge) done.push(heard(store('messages').delete(seqs(id, 0, through))))
  for (const [id, hidden] of hide) for (const seq of hidden) done.push(heard(store('messages').delete([id, seq])))
  if (rows.length > 0) done.push(heard(putRows(transaction, rows)))
  for (const record of conversations) done.push(heard(store('conversations').put(record)))
  for (const user of users) done.push(heard(store('users').put(user)))
  if (self !== undefined) done.push(heard(store('meta').put(self, 'self')))
  for (const { position } of settle) done.push(heard(store('outbox').delete(position)))
  for (const operation of put) done.push(heard(store('outbox').put(operation)))
  for (const [id, text] of drafts) {
    done.push(heard<unknown>(text === '' ? store('drafts').delete(id) : store('drafts').put(text, id)))
  }
  for (const [key, bytes] of files) done.push(heard(store('files').put(bytes, key)))
  for (const key of dropFiles) done.push(heard(store('files').delete(key)))
  const positions = add.map(({ position, ...operation }) => heard(store('outbox').add(operation)))
  await Promise.all(done)
  return await Promise.all(positions)
}

/** If one request fails, the transaction fails and reports it; the others are not reported one by one. */
function heard<T> (work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

async function check (transaction: Write, { put, settle, term }: { put: StoredOperation[], settle: StoredOperation[], term: number | undefined }): Promise<void> {
  const stored = term === undefined ? undefined : await transaction.objectStore('meta').get('term')
  if (term !== undefined && (stored ?? 0) !== term) throw new Stale('another tab leads')
  for (const { position, version } of put) {
    if ((await transaction.objectStore('outbox').get(position))?.version !== version - 1) throw new Stale('the operation was changed')
  }
  for (const { position, version } of settle) {
    if (((await transaction.objectStore('outbox').get(position))?.version ?? version) !== version) throw new Stale('the operation was changed')
  }
}

/** One read of a range costs less than one for each row. */
const rangeMax = 1_000

async function putRows (transaction: Write, rows: readonly Row[]): Promise<void> {
  const store = transaction.objectStore('messages')
  const newest = new Map<string, Map<number, Row>>()
  for (const row of rows) {
    const mine = newest.get(row.conversationId) ?? new Map<number, Row>()
    newest.set(row.conversationId, mine)
    if (row.rev > (mine.get(row.seq)?.rev ?? 0)) mine.set(row.seq, row)
  }
  await Promise.all([...newest].map(async ([id, mine]) => {
    const [first, last] = [Math.min(...mine.keys()), Math.max(...mine.keys())]
    const held = last - first < rangeMax
      ? await store.getAll(seqs(id, first, last))
      : (await Promise.all([...mine.keys()].map(seq => store.get([id, seq])))).flatMap(row => row ?? [])
    const revs = new Map(held.map(({ seq, rev }) => [seq, rev]))
    const news = [...mine.values()].filter(row => row.rev > (revs.get(row.seq) ?? 0))
    await Promise.all(news.map(row => heard(store.put!(row))))
  }))
}

function seqs (id: string, from: number, to: number) {
  return browser.IDBKeyRange.bound([id, from], [id, to])
}
