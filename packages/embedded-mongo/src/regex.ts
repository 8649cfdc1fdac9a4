/**
 * MongoDB's regular expressions (PCRE) by JavaScript's engine: every construct is either translated so that it means the same, or refused.
 * The common traps: `.`, `$`, `^` and `\s` differ in what they take for a line end or a space, and escapes differ under the `u` flag.
 */
import { badValue, mongoError, notImplemented } from './errors.ts'
import type { Regex } from './values.ts'

const WORD = '[A-Za-z0-9_]'
const BEFORE_FINAL_NEWLINE = '(?=\\n?$)'

/** What means something else in JavaScript, outside of a class. `^` and `$` are without JavaScript's `m` flag. */
const TOKENS: Record<string, string> = {
  '.': '[^\\n]',
  $: BEFORE_FINAL_NEWLINE,
  '(': '(?:',
  '{': '\\{',
  '}': '\\}',
  ']': '\\]',
  '\\d': '[0-9]',
  '\\D': '[^0-9]',
  '\\w': WORD,
  '\\W': '[^A-Za-z0-9_]',
  '\\s': '[\\t-\\r ]',
  '\\S': '[^\\t-\\r ]',
  '\\b': `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`,
  '\\B': `(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD}))`,
  '\\A': '^',
  '\\z': '$',
  '\\Z': BEFORE_FINAL_NEWLINE
}

/** What means something else with the flag `m` or `s`. */
const MULTILINE_TOKENS = { '^': '(?:^|(?<=\\n)(?=[^]))', $: '(?![^\\n])' }
const DOT_ALL_TOKENS = { '.': '[^]' }

/** Escapes within a class, as ranges. */
const CLASS_TOKENS: Record<string, string> = {
  '\\d': '0-9',
  '\\D': '\\0-/:-\\u{10ffff}',
  '\\w': 'A-Za-z0-9_',
  '\\s': '\\t-\\r ',
  '\\S': '\\0-\\x08\\x0e-\\x1f!-\\u{10ffff}'
}

/** Groups, counts and quantifiers with what may follow them, escapes, single characters. */
const TOKEN = /\(\?(?:[:=!]|<[=!])|\((?:[?*].?)?|\{\d+(?:,\d*)?\}[?+]?|[*+?][?+]?|\\(?:x[0-9A-Fa-f]{2}|.)?|./suy
const CLASS_TOKEN = /\[[:.=]?|\\(?:x[0-9A-Fa-f]{2}|.)?|./suy

/** The tokens of more than one character that mean the same. */
const SAME = /^(?:\(\?(?:[:=!]|<[=!])|(?:\{.*\}|[*+?])\??|\\(?:[tnrf]|x[0-9A-Fa-f]{2}|[$^\\.*+?()[\]{}|/]))$/

const unsupported = (what: string) => notImplemented(`regular expression construct '${what}' is not supported`)
const invalid = (why: string) => mongoError(51091, `Regular expression is invalid: ${why}`)

/** Compiles an expression, or refuses it. */
export function compileRegex ({ pattern, flags }: Regex): RegExp {
  for (const flag of flags) {
    if (!'imsxu'.includes(flag)) throw mongoError(51108, `invalid flag in regex options: ${flag}`)
    if (flag === 'x') throw unsupported('x')
  }
  if (pattern.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte')
  const inline = /^\(\?([ims]+)\)/.exec(pattern)
  const all = flags + (inline?.[1] ?? '')
  const translated = new Translation(pattern.slice(inline?.[0].length ?? 0), all).run()
  try {
    return new RegExp(translated, all.includes('i') ? 'iu' : 'u')
  } catch (error) {
    throw invalid(error instanceof Error ? error.message.replace(/^Invalid regular expression: .*: /, '') : String(error))
  }
}

class Translation {
  private readonly pattern: string
  private readonly tokens: Record<string, string>
  private at = 0

  constructor (pattern: string, flags: string) {
    this.pattern = pattern
    this.tokens = { ...TOKENS, ...(flags.includes('m') ? MULTILINE_TOKENS : {}), ...(flags.includes('s') ? DOT_ALL_TOKENS : {}) }
  }

  run (): string {
    let result = ''
    for (let token = this.take(TOKEN); token !== ''; token = this.take(TOKEN)) {
      result += token === '[' ? this.characterClass() : this.tokens[token] ?? same(token)
    }
    return result === '' ? '(?:)' : result
  }

  private take (expression: RegExp): string {
    expression.lastIndex = this.at
    const token = expression.exec(this.pattern)?.[0] ?? ''
    this.at += token.length
    return token
  }

  private characterClass (): string {
    let result = this.pattern[this.at] === '^' ? `[${this.take(CLASS_TOKEN)}` : '['
    let before = ''
    // A bracket that comes first is one of the characters.
    if (this.pattern[this.at] === ']') result += `\\${before = this.take(CLASS_TOKEN)}`
    for (let token = this.take(CLASS_TOKEN); token !== ']'; token = this.take(CLASS_TOKEN)) {
      if (token === '') throw invalid('missing terminating ] for character class')
      const ranges = CLASS_TOKENS[token]
      // At the beginning and next to a set of characters a dash is no range.
      if (token === '-' && (before === '' || before in CLASS_TOKENS)) token = '\\-'
      if (ranges !== undefined && before === '-') throw unsupported(`-${token}`)
      result += ranges ?? (token === '[' || token === '\\-' ? `\\${token.at(-1)}` : same(token))
      before = token
    }
    return `${result}]`
  }
}

/** A token that JavaScript understands as it is. */
function same (token: string): string {
  if (token === '\\') throw invalid('\\ at end of pattern')
  if (!/^(?:[\\([{]|[*+?].)/.test(token) || SAME.test(token)) return token
  // An escape that is not needed is an error to JavaScript.
  if (/^\\[^A-Za-z0-9]$/u.test(token)) return token.slice(1)
  throw unsupported(token)
}

/** What the beginning of a pattern fixes: every match starts with `prefix`; `exact` when every string that does is a match. */
export interface RegexPrefix { prefix: string, exact: boolean }

/** The literal text that a case-sensitive expression anchored at the start begins with; undefined when there is none. */
export function regexPrefix ({ pattern, flags }: Regex): RegexPrefix | undefined {
  if (/[im]/.test(flags) || pattern.includes('|')) return undefined
  const [, literals = '', tail = ''] = /^\^((?:[^\\.^$*+?()[\]{}|]|\\[^A-Za-z0-9])*)(.*)$/su.exec(pattern) ?? []
  const chars = literals.match(/\\?[^]/gu) ?? []
  // A quantifier takes back the character before it.
  if (/^[*+?{]/.test(tail)) chars.pop()
  const prefix = chars.map(char => char.replace(/^\\(?=[^])/, '')).join('')
  return prefix === '' ? undefined : { prefix, exact: tail === '' || tail === '.*' }
}
