/** Marks on letters of scripts in which a reader takes a letter with and without them for the same. */
const marks =
  /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}])\p{M}+/gu

/** Characters that a reader does not see (hyphens between syllables, joiners), and the stretch of Arabic letters. */
const unseen = /[\p{Cf}\u0640]/gu

/** Letters that have no decomposition, and the final sigma, which lower case makes by its place in the word. */
const letters: Readonly<Record<string, string>> = {
  ς: 'σ', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe'
}
const special = new RegExp(`[${Object.keys(letters).join('')}]`, 'g')

/**
 * The form of a text that a search compares: without case, accents, width and other looks of the same letters. Two
 * texts that a reader would type for one another have the same.
 */
export function foldedText (text: string): string {
  return foldedLetters(text).replaceAll(/\s+/g, ' ').trim()
}

/** The same, with white space as it is given. */
export function foldedLetters (text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase()
  // Upper case unites letters whose lower cases differ (ß, ı). Lower case comes first, because some capitals (ẞ) stay
  // as they are in upper case.
  return text.normalize('NFKD').replace(unseen, '').toLowerCase().toUpperCase().toLowerCase().replace(marks, '$1')
    .replace(special, letter => letters[letter]!)
    .normalize('NFC')
}
