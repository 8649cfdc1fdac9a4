/**
 * What a text is found by. A folded text is cut into runs; each run has the terms under which the index keeps it. Both
 * are pure: an index and a query that were made by different processes agree.
 */

/**
 * A part of a folded text that stands for itself. `word`: letters and digits between spaces. `unspaced`: letters of a
 * script that puts no spaces between words, so that a word may begin and end anywhere in it. `sign`: an emoji.
 */
export interface Run {
  kind: 'word' | 'unspaced' | 'sign'
  text: string
}

const unspaced = '(?=[\\p{L}\\p{N}\\p{M}])' +
  `[${['Han', 'Hira', 'Kana', 'Thai', 'Laoo', 'Khmr', 'Mymr'].map(script => `\\p{scx=${script}}`).join('')}]`
const runPattern = new RegExp(
  `((?:${unspaced})+)|(\\p{RI}\\p{RI}|\\p{Extended_Pictographic})|` +
  `(?!${unspaced})[\\p{L}\\p{N}](?:(?!${unspaced})[\\p{L}\\p{N}\\p{M}])*`, 'gu'
)

/** Letters of a word by which it is found: a longer word is found by all that begin alike. */
const wordCharsMax = 24
/** Letters that begin a word, by which a search for its beginning finds it. */
const beginningChars = 3
/** Ends the term of a beginning; no run contains it. */
const beginningMark = '*'

/** @param folded by `foldedLetters` */
export function runsOf (folded: string): Run[] {
  if (/^[\0-\x7f]*$/.test(folded)) return (folded.match(/[a-z0-9]+/g) ?? []).map(text => ({ kind: 'word', text }))
  return Array.from(folded.matchAll(runPattern), ([text, dense, sign]): Run =>
    ({ kind: dense !== undefined ? 'unspaced' : sign !== undefined ? 'sign' : 'word', text }))
}

/** The terms under which the index keeps a message with these runs. */
export function termsOf (runs: readonly Run[]): Set<string> {
  const terms = new Set<string>()
  for (const { kind, text } of runs) {
    if (kind === 'unspaced') for (const term of pairsOf(text)) terms.add(term)
    else {
      terms.add(cutWord(text))
      const beginning = kind === 'word' ? beginningOf(text) : undefined
      if (beginning !== undefined && beginning.length < text.length) terms.add(beginning + beginningMark)
    }
  }
  return terms
}

/** Every two neighbours of a run without spaces, and each Chinese character alone. */
function * pairsOf (text: string): Generator<string> {
  const chars = [...text]
  if (chars.length === 1) yield text
  for (const [at, char] of chars.entries()) {
    if (isHan(char)) yield char
    if (at > 0) yield chars[at - 1]! + char
  }
}

/** What a query needs of a message's terms. */
export interface Need {
  /** The message is in the index under one of these. */
  terms: readonly string[]
  /** A beginning: one of the message's terms must begin with it. */
  begins?: string
}

/** A message that contains the run fulfils all of these. */
export function needsOf ({ kind, text }: Run): Need[] {
  if (kind !== 'unspaced') return [{ terms: [cutWord(text)] }]
  const chars = [...text]
  if (chars.length === 1) return [{ terms: [text] }]
  return chars.slice(1).map((char, at) => ({ terms: [chars[at]! + char] }))
}

/** A message with a word that begins with this one fulfils it; undefined: the beginning is too short for a search. */
export function needOfBeginning (word: string): Need | undefined {
  const beginning = beginningOf(word)
  if (beginning === undefined) return undefined
  if (cutWord(word) !== word) return { terms: [cutWord(word)] }
  return { terms: [...(beginning === word ? [word] : []), beginning + beginningMark], begins: word }
}

/** Does every posting under the need's terms fulfil it, so that the message's other terms need not be known? */
export function isMetByAnyPosting ({ terms, begins }: Need): boolean {
  return begins === undefined || terms.includes(begins + beginningMark)
}

/** Do the terms alone decide that a message contains the run? */
export function isDecidedByTerms ({ kind, text }: Run): boolean {
  return kind === 'unspaced' ? [...text].length <= 2 : cutWord(text) === text
}

/** A single letter of a script without spaces, other than Chinese, is found only where it stands alone. */
export function standsAlone (text: string): boolean {
  return [...text].length === 1 && !isHan(text)
}

/** The first letters of a word, at most as many as it has; undefined: it is too short. A Korean syllable is enough. */
function beginningOf (word: string): string | undefined {
  const count = isHangul(word) ? 1 : beginningChars
  const beginning = firstChars(word, count)
  return count === 1 || [...beginning].length === count ? beginning : undefined
}

const cutWord = (word: string): string => firstChars(word, wordCharsMax)

function firstChars (text: string, count: number): string {
  if (text.length <= count) return text
  return /[\ud800-\udfff]/.test(text) ? [...text].slice(0, count).join('') : text.slice(0, count)
}

function isHan (char: string): boolean {
  return char >= '\u2e80' && /\p{Script=Han}/u.test(char)
}

function isHangul (word: string): boolean {
  return word >= '\uac00' && word < '\ud7a4'
}
