/**
 * MongoDB's regular expressions (PCRE) by JavaScript's engine: every construct is either translated so that it means the same, or refused.
 * The common traps: `.`, `$`, `^` and `\s` differ in what they take for a line end or a space, and escapes differ under the `u` flag.
 */
import { badValue, mongoError, notImplemented } from './errors.ts'
import type { Regex } from './values.ts'

const WORD = 'A-Za-z0-9_'
const ANY = '[^]'
/** Without JavaScript's `m` flag. Not by looking behind, where V8 misses characters above U+FFFF. */
const SUBJECT_START = '^'
const SUBJECT_END = '$'
const BEFORE_FINAL_NEWLINE = '(?=\\n?$)'

/** Escapes outside of a class that stand for a fixed translation. */
const ESCAPES: Record<string, string> = {
  d: '[0-9]',
  D: '[^0-9]',
  w: `[${WORD}]`,
  W: `[^${WORD}]`,
  s: '[\\t-\\r ]',
  S: '[^\\t-\\r ]',
  h: '[\\t \\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000]',
  v: '[\\n-\\r\\x85\\u2028\\u2029]',
  b: `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`,
  B: `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`,
  A: SUBJECT_START,
  z: SUBJECT_END,
  Z: BEFORE_FINAL_NEWLINE,
  t: '\\t',
  n: '\\n',
  r: '\\r',
  f: '\\f',
  e: '\\x1b',
  a: '\\x07'
}

/** Escapes within a class, as ranges. */
const CLASS_ESCAPES: Record<string, string> = {
  d: '0-9',
  D: '\\0-/:-\\u{10ffff}',
  w: WORD,
  W: '\\0-/:-@\\[-\\^`\\{-\\u{10ffff}',
  s: '\\t-\\r ',
  S: '\\0-\\x08\\x0e-\\x1f!-\\u{10ffff}',
  b: '\\x08',
  t: '\\t',
  n: '\\n',
  r: '\\r',
  f: '\\f',
  e: '\\x1b',
  a: '\\x07'
}

const POSIX_CLASSES: Record<string, string> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\t-\\r ',
  blank: '\\t ',
  word: WORD,
  xdigit: '0-9A-Fa-f',
  punct: '!-\\/:-@\\[-`\\{-~'
}

const unsupported = (what: string) => notImplemented(`regular expression construct '${what}' is not supported`)
const invalid = (why: string) => mongoError(51091, `Regular expression is invalid: ${why}`)

/** Compiles a stored regular expression. Its `test` keeps no state. */
export function compileRegex ({ pattern, flags }: Regex): RegExp {
  for (const flag of flags) {
    if (!'imsxu'.includes(flag)) throw mongoError(51108, `invalid flag in regex options: ${flag}`)
  }
  if (pattern.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte')
  const inline = /^\(\?([imsx]+)\)/.exec(pattern)
  const all = flags + (inline?.[1] ?? '')
  const translated = new Translation(inline === null ? pattern : pattern.slice(inline[0].length), all).run()
  try {
    return new RegExp(translated, all.includes('i') ? 'iu' : 'u')
  } catch (error) {
    throw invalid(error instanceof Error ? error.message.replace(/^Invalid regular expression: .*: /, '') : String(error))
  }
}

class Translation {
  private readonly chars: string[]
  private readonly multiline: boolean
  private readonly dotAll: boolean
  private readonly extended: boolean
  private at = 0

  constructor (pattern: string, flags: string) {
    this.chars = [...pattern]
    this.multiline = flags.includes('m')
    this.dotAll = flags.includes('s')
    this.extended = flags.includes('x')
  }

  run (): string {
    let result = ''
    while (this.at < this.chars.length) result += this.token(this.chars[this.at++] as string)
    return result === '' ? '(?:)' : result
  }

  private rest (): string {
    return this.chars.slice(this.at).join('')
  }

  /** Takes what `expression` (anchored) finds at the current place. */
  private take (expression: RegExp): RegExpExecArray | null {
    const found = expression.exec(this.rest())
    if (found !== null) this.at += [...found[0]].length
    return found
  }

  private token (char: string): string {
    switch (char) {
      case '.': return this.dotAll ? ANY : '[^\\n]'
      case '^': return this.multiline ? `(?:${SUBJECT_START}|(?<=\\n)(?=[^]))` : SUBJECT_START
      case '$': return this.multiline ? '(?![^\\n])' : BEFORE_FINAL_NEWLINE
      case '\\': return this.escape()
      case '[': return this.characterClass()
      case '(': return this.group()
      case '*': case '+': case '?': return this.quantifier(char)
      case '{': {
        const counts = this.take(/^\d+(,\d*)?\}/)
        return counts === null ? '\\{' : this.quantifier(`{${counts[0]}`)
      }
      case '}': case ']': case '/': return `\\${char}`
      case '#':
        if (!this.extended) return char
        this.take(/^[^\n]*/)
        return ''
      default: return this.extended && /[\t-\r ]/.test(char) ? '' : char
    }
  }

  private quantifier (quantifier: string): string {
    if (this.take(/^\+/) !== null) throw unsupported(`${quantifier}+`)
    return this.take(/^\?/) === null ? quantifier : `${quantifier}?`
  }

  private group (): string {
    if (this.rest().startsWith('*')) throw unsupported('(*')
    if (!this.rest().startsWith('?')) return '(?:'
    const kind = this.take(/^\?(:|=|!|<=|<!|P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*')/)?.[1]
    if (kind === undefined) throw unsupported(`(${this.rest().slice(0, 3)}`)
    return /^P?<[A-Za-z_]|^'/.test(kind) ? '(?:' : `(?${kind}`
  }

  private escape (): string {
    const char = this.chars[this.at++]
    if (char === undefined) throw invalid('\\ at end of pattern')
    if (char === 'Q') return this.quoted()
    return ESCAPES[char] ?? this.anyEscape(char)
  }

  private quoted (): string {
    const literal = (this.take(/^[^]*?(?:\\E|$)/)?.[0] ?? '').replace(/\\E$/, '')
    return literal.replace(/[$^\\.*+?()[\]{}|/]/g, '\\$&')
  }

  /** Escapes that mean the same inside and outside of a class. */
  private anyEscape (char: string): string {
    if (char === 'x') {
      const code = this.take(/^\{([0-9A-Fa-f]{1,6})\}/)?.[1] ?? this.take(/^[0-9A-Fa-f]{1,2}/)?.[0]
      if (code === undefined) throw unsupported('\\x')
      return `\\u{${code}}`
    }
    if (char === 'p' || char === 'P') {
      const category = this.take(/^\{(\^?)([A-Z][a-z]?)\}/) ?? this.take(/^()([A-Z])/)
      if (category === null || category[1] === '^') throw unsupported(`\\${char}`)
      return `\\${char}{${category[2]}}`
    }
    if (/[A-Za-z0-9]/.test(char)) throw unsupported(`\\${char}`)
    return /[$^\\.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char
  }

  private characterClass (): string {
    let result = this.take(/^\^/) === null ? '[' : '[^'
    if (this.take(/^\]/) !== null) result += '\\]'
    for (;;) {
      const char = this.chars[this.at++]
      if (char === undefined) throw invalid('missing terminating ] for character class')
      if (char === ']') return `${result}]`
      result += char === '\\' ? this.classEscape() : char === '[' ? this.classBracket() : char
    }
  }

  private classEscape (): string {
    const char = this.chars[this.at++]
    if (char === undefined) throw invalid('\\ at end of pattern')
    return char === '-' ? '\\-' : CLASS_ESCAPES[char] ?? this.anyEscape(char)
  }

  private classBracket (): string {
    const posix = this.take(/^:(\^?)([a-z]+):\]/)
    if (posix === null) return '\\['
    const ranges = POSIX_CLASSES[posix[2] as string]
    if (posix[1] === '^' || ranges === undefined) throw unsupported(`[${posix[0]}`)
    return ranges
  }
}

/** What the beginning of a pattern fixes: every match starts with `prefix`; `exact` when every string that does is a match. */
export interface RegexPrefix { prefix: string, exact: boolean }

/** The literal text that a case-sensitive expression anchored at the start begins with; undefined when there is none. */
export function regexPrefix ({ pattern, flags }: Regex): RegexPrefix | undefined {
  if (/[imx]/.test(flags) || !pattern.startsWith('^') || pattern.includes('|') || pattern.includes('\\Q')) return undefined
  const chars = [...pattern.slice(1)]
  const literal: string[] = []
  let at = 0
  while (at < chars.length) {
    const char = chars[at] as string
    if (char === '\\') {
      const escaped = chars[at + 1]
      if (escaped === undefined || /[A-Za-z0-9]/.test(escaped)) break
      literal.push(escaped)
      at += 2
    } else if (/[.^$*+?()[\]{}]/.test(char)) {
      break
    } else {
      literal.push(char)
      at++
    }
  }
  // A quantifier takes back the character before it.
  if (at < chars.length && /[*?+{]/.test(chars[at] as string)) literal.pop()
  const tail = chars.slice(at).join('')
  return literal.length === 0 ? undefined : { prefix: literal.join(''), exact: tail === '' || tail === '.*' }
}
