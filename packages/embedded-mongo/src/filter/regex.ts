/**
 * Translates MongoDB's regular expressions (PCRE) to JavaScript's. A construct is translated so that it means the same,
 * or refused. The common traps: `.`, `$`, `^` and `\s` differ in what counts as a line end or a space, and escapes
 * differ with the `u` flag.
 */
import { badValue, mongoError, notImplemented } from '../values/errors.ts'
import type { Regex } from '../values/values.ts'

const WORD = '[A-Za-z0-9_]'

/** Tokens outside of a class that mean something else in JavaScript. The result never has JavaScript's `m` flag. */
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

/** Tokens that mean something else with the flag `m` or `s`. */
const MULTILINE_TOKENS = { '^': '(?:^|(?<=\\n)(?=[^]))', $: '(?![^\\n])' }
const DOT_ALL_TOKENS = { '.': '[^]' }

/** Escapes within a class, as ranges. */
const CLASS_TOKENS: Record<string, string> = { '\\d': '0-9', '\\w': 'A-Za-z0-9_', '\\s': '\\t-\\r ' }

/** Begin of a group, begin of a class (with a first dash), quantifier with its suffix, escape, single character. */
const TOKEN = /\((?:\?:?|\*)?|\[\^?-?|(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?|\\[^]?|[^]/gu

/** Tokens that mean the same in both. */
const SAME = /^(?:\(\?:|\[\^?-?|(?:[*+?]|\{.*\})\??|\\[tnr^$\\.*+?()[\]{}|/]|[^])$/u

const unsupported = (what: string) => notImplemented(`regular expression construct '${what}' is not supported`)

/** @throws MongoError for an expression that is invalid or not supported */
export function compileRegex ({ pattern, flags }: Regex): RegExp {
  for (const flag of flags) {
    if (!'imsxu'.includes(flag)) throw mongoError(51108, `invalid flag in regex options: ${flag}`)
    if (flag === 'x') throw unsupported('x')
  }
  if (pattern.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte')
  const multiline = flags.includes('m') ? MULTILINE_TOKENS : {}
  const dotAll = flags.includes('s') ? DOT_ALL_TOKENS : {}
  const translated = translate(pattern, { ...TOKENS, ...multiline, ...dotAll })
  try {
    return new RegExp(translated, flags.includes('i') ? 'iu' : 'u')
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const reason = message.replace(/^Invalid regular expression: .*: /, '')
    throw mongoError(51091, `Regular expression is invalid: ${reason}`)
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
  // A dash after a set of characters does not begin a range.
  if (token === '-' && before in CLASS_TOKENS) return '\\-'
  if (token in CLASS_TOKENS && before === '-') throw unsupported(`-${token}`)
  if (!token.startsWith('\\') || token === '\\-') return token
  return CLASS_TOKENS[token] ?? same(token)
}

function same (token: string): string {
  if (SAME.test(token)) return token
  // JavaScript refuses an escape that is not needed.
  if (/^\\[^A-Za-z0-9]$/u.test(token)) return token.slice(1)
  throw unsupported(token)
}

/** Every match begins with `prefix`. If `exact`, every string that begins with it is a match. */
export interface RegexPrefix { prefix: string, exact: boolean }

/** The literal text at the beginning of a case-sensitive expression that is anchored at the start; undefined: none. */
export function regexPrefix ({ pattern, flags }: Regex): RegexPrefix | undefined {
  if (/[im]/.test(flags) || pattern.includes('|')) return undefined
  const [, literals = '', tail = ''] = /^\^((?:[^\\.^$*+?()[\]{}|]|\\[^A-Za-z0-9])*)(.*)$/su.exec(pattern) ?? []
  const chars = literals.match(/\\?[^]/gu) ?? []
  // A quantifier applies to the character before it, which is then not certain.
  if (/^[*+?{]/.test(tail)) chars.pop()
  const prefix = chars.map(char => char.replace(/^\\(?=[^])/, '')).join('')
  return prefix === '' ? undefined : { prefix, exact: tail === '' || tail === '.*' }
}
