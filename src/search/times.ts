import { ByteReader, ByteWriter } from './bytes.ts'

/**
 * When the messages of a segment were sent: the times of some of them. Times in a conversation never decrease with its
 * seqs, so each message lies between two that are known.
 */

export interface Times {
  /** Ascending, from the segment's first seq on. */
  seqs: number[]
  /** Their times in milliseconds since 1970. */
  ms: number[]
}

export function packTimes ({ seqs, ms }: Times): Buffer {
  const writer = new ByteWriter()
  for (const [index, seq] of seqs.entries()) {
    writer.number(seq - (seqs[index - 1] ?? 0))
    writer.number(ms[index]! - (ms[index - 1] ?? 0))
  }
  return writer.take()
}

export function readTimes (bytes: Buffer): Times {
  const reader = new ByteReader(bytes)
  const times: Times = { seqs: [], ms: [] }
  for (let seq = 0, time = 0; !reader.isAtEnd;) {
    times.seqs.push(seq += reader.number())
    times.ms.push(time += reader.number())
  }
  return times
}

/** The distance of two known times is at most the distance from the newest message, divided by this. */
const finerTowardsTheEnd = 16

/**
 * Keeps the times of some of these messages, which are in the order of their seqs: of each among the newest, because
 * searches want those first, and the fewer the older they are.
 * @param seqsBetweenMax from one message whose time is kept to the next one
 */
export function fewTimes (known: ReadonlyArray<readonly [seq: number, ms: number]>, seqsBetweenMax: number): Times {
  const times: Times = { seqs: [], ms: [] }
  const [lastSeq = 0] = known.at(-1) ?? []
  let next = -Infinity
  // No search asks for times before 1970.
  let last = 0
  for (const [seq, ms] of known) {
    if (seq < next) continue
    times.seqs.push(seq)
    times.ms.push(last = Math.max(last, ms))
    next = seq + Math.min(seqsBetweenMax, Math.floor((lastSeq - seq) / finerTowardsTheEnd))
  }
  return times
}

/** The message was not sent later than this. */
export function latestMs ({ times: { seqs, ms }, lastMs }: { times: Times, lastMs: number }, seq: number): number {
  return ms[firstAbove(seqs, seq)] ?? lastMs
}

/** Every message that was sent at or before this time has a lower seq; Infinity: all may have been. */
export function seqAfter ({ seqs, ms }: Times, timeMs: number): number {
  return seqs[firstAbove(ms, timeMs)] ?? Infinity
}

/** The index of the first number above another one, in ascending numbers. */
export function firstAbove (numbers: readonly number[], number: number): number {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (numbers[middle]! > number) high = middle
    else low = middle + 1
  }
  return low
}
