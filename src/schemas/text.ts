/** What a text must be for people to see it and for nobody to be misled by it. One place for content and for names. */

// Looks like nothing: controls, spaces, marks without a letter, what fonts draw empty (braille, musical and hieroglyphic blanks).
const visible = /[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800\u{1d159}\u{13441}\u{13442}]/u
// Cannot be stored faithfully, or show as nothing.
const control = /[\p{Cc}\p{Cs}]/u
const lineBreak = /[\p{Zl}\p{Zp}]/u
// Turn the text around them: a name could pass for another one, or for a part of the page.
const bidiControl = /\p{Bidi_Control}/u

/** Does a reader see anything of this text? */
export function isVisible (text: string): boolean {
  return visible.test(text)
}

/** One line without controls and halves of surrogate pairs. */
export function isPlain (text: string): boolean {
  return !control.test(text)
}

/** One line that people read as a name: something of it is visible, and nothing of it turns the text around. */
export function isName (text: string): boolean {
  return isPlain(text) && !lineBreak.test(text) && !bidiControl.test(text) && isVisible(text)
}

/** Is this longer than so many code points? */
export function isLonger (text: string, max: number): boolean {
  // A code point takes one or two units: only in between must they be counted.
  return text.length > max && (text.length > 2 * max || [...text].length > max)
}

interface Format {
  test: (text: string) => boolean
  /** What a refusal says behind the field's name. */
  refusal: string
}

/**
 * Rules that no pattern can say that every tool reads: `format` in a schema names one. `password` is the name that API
 * documents know.
 */
export const formats: Record<string, Format> = {
  name: { test: isName, refusal: 'must be one line with a visible character, without characters that turn the text around' },
  plain: { test: isPlain, refusal: 'must not have control characters' },
  password: { test: text => !text.includes('\0'), refusal: 'must not have the character U+0000' },
  picture: { test: text => isPlain(text) && !/\s/.test(text), refusal: 'must be a web address without spaces' }
}
