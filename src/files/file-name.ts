import { isVisible } from '../schemas/text.ts'

/** Code points of a name. */
const nameCharsMax = 255

/**
 * The name of a file as it is stored and shown: one line without the folders before it, and without characters that
 * are invisible or turn the text around them (`gpj.exe` would look like `exe.jpg`).
 */
export function storedName (given: string | null | undefined): string {
  const last = (given ?? '').split(/[/\\]/).at(-1)!
  const plain = last.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/gu, '').trim()
  const name = cut(plain)
  return /^\.*$/.test(name) || !isVisible(name) ? 'file' : name
}

/** A long name keeps its ending. */
function cut (name: string): string {
  const chars = [...name]
  if (chars.length <= nameCharsMax) return name
  const ending = [.../\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '']
  return [...chars.slice(0, nameCharsMax - ending.length), ...ending].join('')
}
