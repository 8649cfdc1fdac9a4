import { randomInt } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ClientSession } from 'mongodb'
import { type Rev, type Seq, seqOf } from '../log/model/types.ts'
import { type Chunk, type Directory, type SearchIndex, type Segment, chunkId, chunkIds } from './collections.ts'
import { type Postings, packPostings, unpackPostings } from './segment.ts'
import { fewTimes, packTimes, readTimes } from './times.ts'

/**
 * Changes the index of words. Several processes may write the same conversation: a transaction replaces its directory,
 * so one of two at a time is repeated. Changes that the directory has already are left out: terms of an earlier rev
 * never replace those of a later one.
 */

/** What changed in a conversation. */
export interface Change {
  conversationId: string
  /** `messages` has every change up to this rev that the index lacks. */
  rev: Rev
  /** Messages up to this one lose their terms. */
  purgedSeq: Seq
  /** The conversation was deleted. */
  isGone: boolean
  /** Whole messages by their seq; a deleted one has no terms. */
  messages: Map<number, { rev: Rev, ms: number, terms: readonly string[] }>
}

/** Neighbouring segments, and messages that are new or changed, that become one segment. */
interface Group {
  segments: Segment[]
  messages: Change['messages']
  /** About how many messages it has. */
  size: number
  isChanged: boolean
}

type Sizes = SearchIndex['sizes']

/** What a transaction does. */
interface Writes {
  chunks: Chunk[]
  removed: string[]
  directories: Directory[]
  gone: string[]
}

export async function writeSegments (index: SearchIndex, changes: readonly Change[]): Promise<void> {
  const { client, directories, chunks, sizes } = index
  if (changes.length === 0) return
  const session = client.startSession()
  try {
    await session.withTransaction(async () => {
      const ids = changes.map(({ conversationId }) => conversationId)
      const known = await directories.find({ _id: { $in: ids } }, { session }).batchSize(ids.length + 1).toArray()
      const writes: Writes = { chunks: [], removed: [], directories: [], gone: [] }
      for (const change of changes) {
        const directory = known.find(({ _id }) => _id === change.conversationId)
        await plan(change, directory, writes, sizes, ids => readChunks(chunks, ids, session))
      }
      if (writes.removed.length > 0) await chunks.deleteMany({ _id: { $in: writes.removed } }, { session })
      if (writes.gone.length > 0) await directories.deleteMany({ _id: { $in: writes.gone } }, { session })
      if (writes.chunks.length > 0) await chunks.insertMany(writes.chunks, { session })
      if (writes.directories.length === 0) return
      await directories.bulkWrite(writes.directories.map(replacement => (
        { replaceOne: { filter: { _id: replacement._id }, replacement, upsert: true } }
      )), { session })
    })
  } finally {
    await session.endSession()
  }
}

async function readChunks (
  chunks: SearchIndex['chunks'], ids: string[], session: ClientSession
): Promise<Map<string, Buffer>> {
  if (ids.length === 0) return new Map()
  const found = await chunks.find({ _id: { $in: ids } }, { session }).batchSize(ids.length + 1).toArray()
  return new Map(found.map(({ _id, postings }) => [_id, postings]))
}

async function plan (
  change: Change, directory: Directory | undefined, writes: Writes, sizes: Sizes,
  read: (ids: string[]) => Promise<Map<string, Buffer>>
): Promise<void> {
  const { conversationId, purgedSeq } = change
  if (change.isGone) {
    if (directory === undefined) return
    writes.gone.push(conversationId)
    writes.removed.push(...directory.segments.flatMap(segment => chunkIds(conversationId, segment)))
    return
  }
  const { rev, segments, nextId } = directory ?? { rev: 0, segments: [], nextId: firstId() }
  const messages = new Map([...change.messages].filter(([seq, message]) => message.rev > rev && seq > purgedSeq))
  const groups = groupsOf(segments, messages, purgedSeq, sizes)
  if (!groups.some(({ isChanged }) => isChanged)) return

  const replaced = groups.flatMap(({ isChanged, segments }) => isChanged ? segments : [])
  const ids = replaced.flatMap(segment => chunkIds(conversationId, segment))
  writes.removed.push(...ids)
  const stored = await read(replaced.filter(({ last }) => last > purgedSeq)
    .flatMap(segment => chunkIds(conversationId, segment)))
  const after: Directory = {
    _id: conversationId, rev: change.rev > rev ? change.rev : rev as Rev, nextId, segments: []
  }
  for (const group of groups) {
    if (!group.isChanged) after.segments.push(...group.segments)
    else {
      const id = after.nextId++
      const made = await join(group, purgedSeq, sizes, (segment, at) =>
        stored.get(chunkId(conversationId, segment.id, at)))
      if (made === undefined) continue
      after.segments.push({ ...made.segment, id })
      for (const [index, postings] of made.chunks.entries()) {
        writes.chunks.push({ _id: chunkId(conversationId, id, index), postings })
      }
      await nextTurn()
    }
  }
  writes.directories.push(after)
}

/** The segments that there shall be. */
function groupsOf (
  segments: readonly Segment[], messages: Change['messages'], purgedSeq: Seq,
  { segmentMax, tailMax, joinFactor }: Sizes
): Group[] {
  const groups = segments.map((segment): Group => ({
    segments: [segment],
    messages: new Map(),
    size: segment.last - segment.first + 1,
    isChanged: segment.first <= purgedSeq
  }))
  const last = segments.at(-1)?.last ?? 0
  let fresh: Group | undefined
  for (const [seq, message] of [...messages].sort(([a], [b]) => a - b)) {
    if (seq > last) {
      if (fresh === undefined || fresh.size === segmentMax) {
        groups.push(fresh = { segments: [], messages: new Map(), size: 0, isChanged: true })
      }
      fresh.messages.set(seq, message)
      fresh.size++
    } else {
      const at = Math.max(0, segments.findLastIndex(({ first }) => first <= seq))
      groups[at]!.messages.set(seq, message)
      groups[at]!.isChanged = true
    }
  }
  for (let at = groups.length - 1; at > 0; at--) {
    const [older, newer] = [groups[at - 1]!, groups[at]!]
    const size = older.size + newer.size
    if (size > segmentMax || (size > tailMax && older.size > newer.size * joinFactor)) continue
    groups.splice(at - 1, 2, {
      segments: [...older.segments, ...newer.segments],
      messages: new Map([...older.messages, ...newer.messages]),
      size,
      isChanged: true
    })
  }
  return groups
}

/** No segment of a directory that was here before has had it: its chunks may still be known (chunks.ts). */
const firstId = (): number => randomInt(2 ** 31)

/** Makes one segment of a group; undefined: it would be empty. */
async function join (
  { segments, messages }: Group, purgedSeq: Seq, { chunkBytes, seqsBetweenTimes }: Sizes,
  chunkOf: (segment: Segment, index: number) => Buffer | undefined
): Promise<{ segment: Omit<Segment, 'id'>, chunks: Buffer[] } | undefined> {
  const postings: Postings = new Map()
  const keeps = (seq: number) => seq > purgedSeq && !messages.has(seq)
  for (const segment of segments) {
    if (segment.last <= purgedSeq) continue
    for (const [index] of segment.starts.split(' ').entries()) {
      unpackPostings(chunkOf(segment, index)!, segment.first, postings, keeps)
    }
    await nextTurn()
  }
  for (const [seq, { terms }] of messages) {
    for (const term of terms) {
      const seqs = postings.get(term)
      if (seqs === undefined) postings.set(term, [seq])
      else seqs.splice(seqs.findLastIndex(other => other < seq) + 1, 0, seq)
    }
  }
  if (postings.size === 0) return undefined

  const known = segments.flatMap(({ times }) => {
    const { seqs, ms } = readTimes(times)
    return seqs.map((seq, at): [number, number] => [Math.max(seq, purgedSeq + 1), ms[at]!])
  })
  for (const [seq, { ms }] of messages) known.push([seq, ms])
  known.sort(([a], [b]) => a - b)
  const times = fewTimes(known, seqsBetweenTimes)
  const first = times.seqs[0]!
  const { chunks, starts } = packPostings(postings, first, chunkBytes)
  const segment = {
    first: seqOf(first),
    last: seqOf(Math.max(segments.at(-1)?.last ?? 0, ...messages.keys())),
    lastMs: Math.max(segments.at(-1)?.lastMs ?? 0, known.at(-1)![1]),
    times: packTimes(times),
    starts
  }
  return { segment, chunks }
}
