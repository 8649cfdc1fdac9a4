import type { Row } from './state.ts'

/**
 * The server's search on what this device holds, with the same rules (its `src/search/query.ts`): all words, the last
 * one as a beginning, words in quotes as they are written.
 */

/** What a message may have beside its words. */
export type Feature = 'file' | 'image' | 'video' | 'audio' | 'link'

export interface Wanted {
  text: string
  conversationId?: string | undefined
  from?: string | undefined
  has?: Feature | undefined
  /** Milliseconds since 1970: sent at or after `after`, and before `before`. */
  after?: number | undefined
  before?: number | undefined
}

interface Run { kind: 'word' | 'unspaced' | 'sign', text: string }
interface Passage { runs: readonly Run[], isOpen: boolean }

/** Does the message match? Its words are worked out once for all messages. */
export function matcherOf (wanted: Wanted): (row: Row) => boolean {
  const { text, conversationId, from, has, after = 0, before = Infinity } = wanted
  const passages = passagesOf(foldedLetters(text))
  const isNothing = passages.length === 0 && (has === undefined || text.trim() !== '')
  return row => {
    if (isNothing || row.isDeleted || row.createdAt < after || row.createdAt >= before) return false
    if (conversationId !== undefined && row.conversationId !== conversationId) return false
    if (from !== undefined && row.senderId !== from) return false
    return (has === undefined || hasFeature(row, has)) && containsAll(passages, row.text)
  }
}

const pieces = /[\p{L}\p{N}\p{M}\p{Cf}]+|\p{Extended_Pictographic}|\p{RI}\p{RI}/gu

/** The parts of a text that a search found it by: from and to, ascending. */
export function hitsIn (text: string, query: string): Array<readonly [from: number, to: number]> {
  const passages = passagesOf(foldedLetters(query))
  const hits: Array<readonly [number, number]> = []
  for (const { index, 0: piece } of text.matchAll(pieces)) {
    const folded = foldedLetters(piece)
    for (const { runs, isOpen } of passages) {
      for (const run of runs) {
        const part = partOf(folded, run, isOpen && run === runs.at(-1))
        // Folding may change the length: then the whole piece is the hit.
        const [from, to] = part === undefined || folded.length === piece.length ? part ?? [0, 0] : [0, piece.length]
        if (to > 0) hits.push([index + from, index + to])
      }
    }
  }
  const merged: Array<readonly [number, number]> = []
  for (const [from, to] of hits.sort(([a], [b]) => a - b)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1]) merged[merged.length - 1] = [last[0], Math.max(last[1], to)]
    else merged.push([from, to])
  }
  return merged
}

function partOf (folded: string, { kind, text }: Run, isOpen: boolean): [number, number] | undefined {
  const at = folded.indexOf(text)
  if (at < 0) return undefined
  if (kind === 'unspaced') return [at, at + text.length]
  return folded === text || (isOpen && at === 0) ? [0, text.length] : undefined
}

function hasFeature ({ type, text, attachments = [] }: Row, feature: Feature): boolean {
  if (feature === 'link') return /https?:\/\/[^\s/]|(?:^|\s)www\.[^\s.]/i.test(text)
  if (type === feature || (feature === 'file' && attachments.length > 0)) return true
  return attachments.some(file => file.type?.startsWith(`${feature}/`) === true)
}

function containsAll (passages: readonly Passage[], text: string): boolean {
  if (passages.length === 0) return true
  const runs = runsOf(foldedLetters(text))
  return passages.every(passage => runs.some((_, at) => standsAt(passage, runs, at)))
}

function standsAt ({ runs: wanted, isOpen }: Passage, runs: readonly Run[], at: number): boolean {
  const end = wanted.length - 1
  return at + end < runs.length &&
    wanted.every((run, index) => isFound(run, runs[at + index]!, index === 0, index === end, isOpen))
}

function isFound ({ kind, text }: Run, found: Run, isFirst: boolean, isLast: boolean, isOpen: boolean): boolean {
  if (kind !== found.kind) return false
  if (kind === 'unspaced' && (isHan(text) || [...text].length > 1)) {
    if (isFirst && isLast) return found.text.includes(text)
    if (isFirst) return found.text.endsWith(text)
    if (isLast) return found.text.startsWith(text)
  }
  return kind === 'word' && isLast && isOpen && isBeginning(text) ? found.text.startsWith(text) : found.text === text
}

/** From three letters on a word may be the beginning of another one, in Korean from one. */
const isBeginning = (word: string): boolean => /^[\uac00-\ud7a3]/.test(word) || [...word].length >= 3

const isHan = (text: string): boolean => /^\p{Script=Han}/u.test(text)

function passagesOf (query: string): Passage[] {
  const parts = query.replaceAll(/[\u201c-\u201e\xab\xbb]/g, '"').split('"')
  // Every second part is in quotes.
  const chunks = parts.flatMap((part, index) => index % 2 === 1 ? [part] : part.split(/\s+/u))
  const passages = chunks.map(runsOf).filter(runs => runs.length > 0)
  const isTyping = runsOf(parts.at(-1)!).length > 0
  return passages.map((runs, index) => ({
    runs, isOpen: isTyping && parts.length % 2 === 1 && index === passages.length - 1
  }))
}

const unspaced = '(?=[\\p{L}\\p{N}\\p{M}])' +
  `[${['Han', 'Hira', 'Kana', 'Thai', 'Laoo', 'Khmr', 'Mymr'].map(script => `\\p{scx=${script}}`).join('')}]`
const runPattern = new RegExp(
  `((?:${unspaced})+)|(\\p{RI}\\p{RI}|\\p{Extended_Pictographic})|` +
  `(?!${unspaced})[\\p{L}\\p{N}](?:(?!${unspaced})[\\p{L}\\p{N}\\p{M}])*`, 'gu'
)

function runsOf (folded: string): Run[] {
  return Array.from(folded.matchAll(runPattern), ([text, dense, sign]): Run =>
    ({ kind: dense !== undefined ? 'unspaced' : sign !== undefined ? 'sign' : 'word', text }))
}

const marks = /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}])\p{M}+/gu
const letters: Readonly<Record<string, string>> = { ς: 'σ', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe' }
// In ASCII: a bundler escapes strings, but not the letters of a pattern, which a page without a charset misreads.
const lettersPattern = new RegExp(`[${Object.keys(letters).join('')}]`, 'g')

/** The form of a text without case, accents and other looks of the same letters. */
function foldedLetters (text: string): string {
  return text.normalize('NFKD').replace(/[\p{Cf}\u0640]/gu, '').toLowerCase().toUpperCase().toLowerCase().replace(marks, '$1')
    .replace(lettersPattern, letter => letters[letter]!)
    .normalize('NFC')
}
