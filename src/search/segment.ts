import { ByteReader, ByteWriter } from './bytes.ts'
import type { Need } from './words.ts'

/**
 * The terms of a segment and the messages under each, in the order of the terms, cut into chunks. A chunk is a sequence
 * of: the term, the bytes of its postings, the postings. A posting is the distance of a seq from the one before it, the
 * first one from the segment's first seq.
 */

/** The seqs under each term, ascending. */
export type Postings = Map<string, number[]>

/** The chunks of the postings, and the beginnings of their first terms, by which a chunk is found. */
export function packPostings (
  postings: Postings, firstSeq: number, chunkBytes: number
): { chunks: Buffer[], starts: string } {
  const chunks: Buffer[] = []
  const starts: string[] = []
  const [chunk, entry, seqs] = [new ByteWriter(), new ByteWriter(), new ByteWriter()]
  let before = ''
  for (const term of [...postings.keys()].sort()) {
    let last = firstSeq
    for (const seq of postings.get(term)!) {
      seqs.number(seq - last)
      last = seq
    }
    entry.length = 0
    entry.shortText(term)
    entry.number(seqs.length)
    entry.append(seqs)
    seqs.length = 0
    if (chunk.length > 0 && chunk.length + entry.length > chunkBytes) chunks.push(chunk.take())
    if (chunk.length === 0) starts.push(startAfter(before, term))
    chunk.append(entry)
    before = term
  }
  if (chunk.length > 0) chunks.push(chunk.take())
  return { chunks, starts: starts.join(' ') }
}

/** As much of a term as is needed to be above the term before it. */
function startAfter (before: string, term: string): string {
  for (let length = 1; length < term.length; length++) {
    const start = term.slice(0, length)
    if (start > before && !/[\ud800-\udbff]$/.test(start)) return start
  }
  return term
}

/** Adds the postings of a chunk to others. */
export function unpackPostings (
  chunk: Buffer, firstSeq: number, into: Postings, keeps: (seq: number) => boolean
): void {
  const reader = new ByteReader(chunk)
  while (!reader.isAtEnd) {
    const term = reader.shortText()
    const kept = into.get(term) ?? []
    for (const seq of seqsAt(reader, firstSeq)) if (keeps(seq)) kept.push(seq)
    if (kept.length > 0) into.set(term, kept)
  }
}

/** The seqs under the terms of a chunk that fulfil a need, ascending for each term. */
export function findPostings (chunk: Buffer, firstSeq: number, { term, begins }: Need): number[][] {
  const wanted = Buffer.from(term)
  const reader = new ByteReader(chunk)
  const found: number[][] = []
  while (!reader.isAtEnd) {
    if (reader.passesText(wanted, begins)) found.push(seqsAt(reader, firstSeq))
    else {
      const bytes = reader.number()
      reader.at += bytes
    }
  }
  return found
}

function seqsAt (reader: ByteReader, firstSeq: number): number[] {
  const bytes = reader.number()
  const end = reader.at + bytes
  const seqs: number[] = []
  for (let seq = firstSeq; reader.at < end;) {
    seq += reader.number()
    seqs.push(seq)
  }
  return seqs
}

/** Which chunks with these starts may have terms that fulfil the need: from the first to the last one. */
export function chunksFor (starts: readonly string[], { term, begins }: Need): { from: number, to: number } {
  // A chunk ends before the start of the next one.
  const from = Math.max(0, firstAbove(starts, start => start > term) - 1)
  const end = begins ? firstAbove(starts, start => start > term && !start.startsWith(term)) : from + 1
  return { from, to: end - 1 }
}

function firstAbove (starts: readonly string[], isAbove: (start: string) => boolean): number {
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isAbove(starts[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
