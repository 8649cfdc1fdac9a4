/** Rules for texts and names, in one place: people must be able to see them and must not be misled by them. */

// Invisible: controls, spaces, marks without a letter, and what fonts draw empty (braille, musical and hieroglyphic
// blanks).
const visible = /[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800\u{1d159}\u{13441}\u{13442}]/u
// Cannot be stored faithfully, or are invisible.
const control = /[\p{Cc}\p{Cs}]/u
const lineBreak = /[\p{Zl}\p{Zp}]/u
// Reverse the text around them: a name could look like another one, or like a part of the page.
const bidiControl = /\p{Bidi_Control}/u

/** Can a reader see anything of this text? */
export function isVisible (text: string): boolean {
  return visible.test(text)
}

/** Is this one line without control characters and lone surrogates? */
export function isPlain (text: string): boolean {
  return !control.test(text)
}

/** Is anything visible in this text, which has no control characters but line breaks and tabs? */
function isParagraphs (text: string): boolean {
  return isPlain(text.replaceAll(/[\n\t]/g, ' ')) && isVisible(text)
}

/** Is this one visible line that does not reverse the text around it? */
export function isName (text: string): boolean {
  return isPlain(text) && !lineBreak.test(text) && !bidiControl.test(text) && isVisible(text)
}

/** Is this longer than `max` code points? */
export function isLonger (text: string, max: number): boolean {
  // A code point takes one or two UTF-16 units, so only lengths between `max` and twice that need counting.
  return text.length > max && (text.length > 2 * max || [...text].length > max)
}

interface Format {
  test: (text: string) => boolean
  /** The text of a refusal, after the field's name. */
  refusal: string
}

/**
 * Rules that a pattern cannot express in a way that every tool reads. `format` in a schema names one. API tools know
 * the format `password`.
 */
export const formats: Record<string, Format> = {
  name: { test: isName, refusal: 'must be one line with a visible character, without characters that turn the text around' },
  paragraphs: {
    test: isParagraphs, refusal: 'must have a visible character, and no control characters but line breaks'
  },
  plain: { test: isPlain, refusal: 'must not have control characters' },
  password: { test: text => !text.includes('\0'), refusal: 'must not have the character U+0000' },
  picture: { test: text => isPlain(text) && !/\s/.test(text), refusal: 'must be a web address without spaces' }
}

/** UTF-8 cannot store half a surrogate pair. It is replaced now, so that the live event equals the stored text. */
export function wellFormed (text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}
