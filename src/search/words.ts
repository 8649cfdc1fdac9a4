/**
 * What a text is found by. A folded text is cut into runs; each run has the terms under which the index keeps it. Both
 * are pure: an index and a query that were made by different processes agree.
 */

/**
 * A part of a folded text that is searched as one. `word`: letters and digits between spaces. `unspaced`: letters of a
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
/** Letters of the shortest beginning that is searched for. */
const beginningChars = 3

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
    else terms.add(cutWord(text))
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

/** What a query needs of a message's terms: this one, or one that begins with it. */
export interface Need {
  term: string
  begins: boolean
}

/** A message that contains the run fulfils all of these. */
export function needsOf ({ kind, text }: Run): Need[] {
  if (kind !== 'unspaced') return [needOf(cutWord(text))]
  const chars = [...text]
  if (chars.length === 1) return [needOf(text)]
  return chars.slice(1).map((char, at) => needOf(chars[at]! + char))
}

export const needOf = (term: string): Need => ({ term, begins: false })

/** A message with a word that begins with this one fulfils it; undefined: the beginning is too short for a search. */
export function needOfBeginning (word: string): Need | undefined {
  if (!isHangul(word) && [...firstChars(word, beginningChars)].length < beginningChars) return undefined
  return cutWord(word) === word ? { term: word, begins: true } : needOf(cutWord(word))
}

/** A single letter of a script without spaces, other than Chinese, is found only where it stands alone. */
export function standsAlone (text: string): boolean {
  return [...text].length === 1 && !isHan(text)
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
