import { type SearchIndex, chunkIds } from '../../src/search/collections.ts'
import { type Postings, unpackPostings } from '../../src/search/segment.ts'

/** The terms of each message, by its seq, as the index has them in a conversation. */
export async function storedTerms (
  { directories, chunks }: SearchIndex, conversationId: string
): Promise<Map<number, string[]>> {
  const terms = new Map<number, string[]>()
  const directory = await directories.findOne({ _id: conversationId })
  for (const segment of directory?.segments ?? []) {
    const postings: Postings = new Map()
    for (const _id of chunkIds(conversationId, segment)) {
      unpackPostings((await chunks.findOne({ _id }))!.postings, segment.first, postings, () => true)
    }
    for (const [term, seqs] of postings) for (const seq of seqs) terms.set(seq, [...terms.get(seq) ?? [], term])
  }
  return terms
}
