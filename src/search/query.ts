import { TidelogError } from '../errors.ts'
import { foldedLetters } from '../lib/folded-text.ts'
import type { LogRow } from '../log/model/types.ts'
import type { Feature } from '../schemas/message.ts'
import { featuresOf, featureTerm, senderTerm } from './features.ts'
import { type Need, type Run, needOf, needOfBeginning, needsOf, runsOf, standsAlone } from './words.ts'

/** Runs that a message must contain one after the other: a word, a phrase in quotes, or something like `e-mail`. */
interface Passage {
  runs: readonly Run[]
  /** Its last word may be the beginning of a longer one. */
  isOpen: boolean
}

/** What messages are searched for. */
export interface Query {
  passages: readonly Passage[]
  has: Feature | undefined
  /** In hex. */
  from: string | undefined
  /** Milliseconds since 1970: created at or after `after`, and before `before`. */
  after: number
  before: number
  /** What the index must have of a message. Empty: nothing can match. */
  needs: readonly Need[]
}

interface QueryInput {
  q?: string | undefined
  has?: Feature | undefined
  from?: string | undefined
  after?: string | undefined
  before?: string | undefined
}

/**
 * All words must be there, the last one as the beginning of a word; words in quotes must follow one another as written.
 * @throws TidelogError VALIDATION
 */
export function queryOf ({ q = '', has, from, after, before }: QueryInput): Query {
  const passages = passagesOf(foldedLetters(q))
  const needs = passages.flatMap(needsOfPassage)
  if (has !== undefined) needs.push(needOf(featureTerm(has)))
  if (from !== undefined) needs.push(needOf(senderTerm(from.toLowerCase())))
  const isEmpty = passages.length === 0 && q.trim() !== ''
  return {
    passages,
    has,
    from: from?.toLowerCase(),
    after: after === undefined ? 0 : timeOf('after', after),
    before: before === undefined ? Infinity : timeOf('before', before),
    needs: isEmpty ? [] : withoutRepeats(needs)
  }
}

/** The format of the schema admits a leap second. */
function timeOf (field: string, text: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new TidelogError('VALIDATION', `${field} must be an ISO-8601 time`)
  return time
}

/** Does this row match, apart from its words and the rules of who may see it? */
export function matchesFilters ({ from, has, after, before }: Query, row: LogRow): boolean {
  const time = row.createdAt.getTime()
  return row.kind === 'message' && row.isDeleted !== true && time >= after && time < before &&
    (from === undefined || row.senderId?.toHexString() === from) &&
    (has === undefined || featuresOf(row).includes(has))
}

export function matchesText ({ passages, needs }: Query, text: string): boolean {
  if (needs.length === 0) return false
  const runs = runsOf(foldedLetters(text))
  return passages.every(passage => runs.some((_, at) => standsAt(passage, runs, at)))
}

function standsAt ({ runs: wanted, isOpen }: Passage, runs: readonly Run[], at: number): boolean {
  if (at + wanted.length > runs.length) return false
  const end = wanted.length - 1
  return wanted.every((run, index) => isFound(run, runs[at + index]!, index === 0, index === end, isOpen))
}

function isFound ({ kind, text }: Run, found: Run, isFirst: boolean, isLast: boolean, isOpen: boolean): boolean {
  if (kind !== found.kind) return false
  if (kind === 'unspaced' && !standsAlone(text)) {
    if (isFirst && isLast) return found.text.includes(text)
    if (isFirst) return found.text.endsWith(text)
    if (isLast) return found.text.startsWith(text)
  }
  if (kind === 'word' && isLast && isOpen && needOfBeginning(text) !== undefined) return found.text.startsWith(text)
  return found.text === text
}

/** @param q folded */
function passagesOf (q: string): Passage[] {
  const passages: Passage[] = []
  const parts = q.replaceAll(/[“”„«»]/g, '"').split('"')
  for (const [index, part] of parts.entries()) {
    const isQuoted = index % 2 === 1
    for (const chunk of isQuoted ? [part] : part.split(/\s+/u)) {
      const runs = runsOf(chunk)
      if (runs.length > 0) passages.push({ runs, isOpen: !isQuoted })
    }
  }
  // Only what is being typed may be a beginning: the last word, if no quote ends after it.
  const isTyping = runsOf(parts.at(-1)!).length > 0
  return passages.map((passage, index) => ({ ...passage, isOpen: isTyping && index === passages.length - 1 }))
}

function needsOfPassage ({ runs, isOpen }: Passage): Need[] {
  return runs.flatMap((run, index) => {
    const open = isOpen && index === runs.length - 1 && run.kind === 'word' ? needOfBeginning(run.text) : undefined
    return open === undefined ? needsOf(run) : [open]
  })
}

function withoutRepeats (needs: readonly Need[]): Need[] {
  return [...new Map(needs.map(need => [`${need.term} ${need.begins}`, need])).values()]
}
