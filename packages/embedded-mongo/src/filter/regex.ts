/**
 * MongoDB's regular expressions (PCRE) by JavaScript's engine: every construct is either translated so that it means the same, or refused.
 * The common traps: `.`, `$`, `^` and `\s` differ in what they take for a line end or a space, and escapes differ under the `u` flag.
 */
import { badValue, mongoError, notImplemented } from '../values/errors.ts'
import type { Regex } from '../values/values.ts'

const WORD = '[A-Za-z0-9_]'

/** What means something else in JavaScript, outside of a class. `^` and `$` are without JavaScript's `m` flag. */
const TOKENS: Record<string, string> = {
  '.': '[^\\n]',
  $: '(?=\\n?$)',
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
  '\\b': `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`
}

/** What means something else with the flag `m` or `s`. */
const MULTILINE_TOKENS = { '^': '(?:^|(?<=\\n)(?=[^]))', $: '(?![^\\n])' }
const DOT_ALL_TOKENS = { '.': '[^]' }

/** Escapes within a class, as ranges. */
const CLASS_TOKENS: Record<string, string> = { '\\d': '0-9', '\\w': 'A-Za-z0-9_', '\\s': '\\t-\\r ' }

/** Beginnings of groups and of classes (with a dash that comes first), quantifiers with what may follow them, escapes, single characters. */
const TOKEN = /\((?:\?:?|\*)?|\[\^?-?|(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?|\\[^]?|[^]/gu

/** The tokens that mean the same. */
const SAME = /^(?:\(\?:|\[\^?-?|(?:[*+?]|\{.*\})\??|\\[tnr^$\\.*+?()[\]{}|/]|[^])$/u

const unsupported = (what: string) => notImplemented(`regular expression construct '${what}' is not supported`)

/** Compiles an expression, or refuses it. */
export function compileRegex ({ pattern, flags }: Regex): RegExp {
  for (const flag of flags) {
    if (!'imsxu'.includes(flag)) throw mongoError(51108, `invalid flag in regex options: ${flag}`)
    if (flag === 'x') throw unsupported('x')
  }
  if (pattern.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte')
  const translated = translate(pattern, { ...TOKENS, ...(flags.includes('m') ? MULTILINE_TOKENS : {}), ...(flags.includes('s') ? DOT_ALL_TOKENS : {}) })
  try {
    return new RegExp(translated, flags.includes('i') ? 'iu' : 'u')
  } catch (error) {
    throw mongoError(51091, `Regular expression is invalid: ${error instanceof Error ? error.message.replace(/^Invalid regular expression: .*: /, '') : String(error)}`)
  }
}

function translate (pattern: string, tokens: Record<string, string>): string {
  let result = ''
  let inClass = false
  let before = ''
  for (const [token] of pattern.matchAll(TOKEN)) {
    result += inClass ? inClassToken(token, before) : tokens[token] ?? same(token)
    inClass = inClass ? token !== ']' : token.startsWith('[')
    before = token
  }
  return result === '' ? '(?:)' : result
}

function inClassToken (token: string, before: string): string {
  if (token.startsWith('[') || (token === ']' && /^\[\^?$/.test(before))) throw unsupported(`[${token}`)
  // Next to a set of characters a dash is no range.
  if (token === '-' && before in CLASS_TOKENS) return '\\-'
  if (token in CLASS_TOKENS && before === '-') throw unsupported(`-${token}`)
  if (!token.startsWith('\\') || token === '\\-') return token
  return CLASS_TOKENS[token] ?? same(token)
}

function same (token: string): string {
  if (SAME.test(token)) return token
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
