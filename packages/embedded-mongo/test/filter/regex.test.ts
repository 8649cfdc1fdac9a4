import fc from 'fast-check'
import t from 'tap'
import { compileRegex, regexPrefix } from '../../src/filter/regex.ts'
import { Regex } from '../../src/values/values.ts'

const found = (pattern: string, flags: string, text: string) => compileRegex(new Regex(pattern, flags)).test(text)

const visible = (text: string) => JSON.stringify(text).replace(/[^ -~]|#/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

t.test('constructs mean the same as in PCRE', async t => {
  const cases: [pattern: string, flags: string, yes: string[], no: string[]][] = [
    ['^a.c$', '', ['abc', 'a\rc', 'abc\n'], ['a\nc', 'abc\n\n', 'xabc']],
    ['a.c', 's', ['a\nc'], ['ac']],
    ['^$', '', ['', '\n'], ['a', '\u{1f600}']],
    ['^$', 'm', ['', 'a\n\nb'], ['a', '\u{1f600}']],
    ['^b', 'm', ['a\nb'], ['a\rb', 'a\u2028b']],
    ['a$', 'm', ['a\nb', 'a'], ['a\rb']],
    ['^\\s$', '', [' ', '\t', '\v'], ['\u00a0', '\u2003']],
    ['^\\w+$', '', ['a_1'], ['é', 'a b']],
    ['\\bab\\b', '', ['x ab y', 'ab'], ['xab']],
    ['^[^\\d]$', '', ['x', '\u{1f600}'], ['1']],
    ['^[a\\-c]$', '', ['-', 'a'], ['b']],
    ['a{2}b{,3}', '', ['aab{,3}'], ['aabbb']],
    ['a{2,}', '', ['aaa'], ['a']],
    ['^É$', 'i', ['é', 'É'], ['e']],
    ['^(\\d{4})-(?:0|1)', '', ['2024-0'], ['24-0']],
    ['^[(?*+]$', '', ['(', '?', '*', '+'], ['a', '(?']],
    ['^[-a]+[^-b]$', '', ['-a-c'], ['a-', 'ab']],
    ['^[-\\w]+[\\s-z]$', '', ['a-b ', '--'], ['a^b ']],
    ['a\\/b/c\\@', '', ['a/b/c@'], []],
    ['', '', ['', 'x'], []]
  ]
  for (const [pattern, flags, yes, no] of cases) {
    for (const text of yes) t.ok(found(pattern, flags, text), `${visible(pattern)} ${flags} finds ${visible(text)}`)
    for (const text of no) t.notOk(found(pattern, flags, text), `${visible(pattern)} ${flags} does not find ${visible(text)}`)
  }
})

t.test('an expression that cannot be translated is refused, and an invalid one is an error', async t => {
  for (const pattern of ['(?>a)', 'a++', '(a)\\1', '\\Ka', '(*UTF)a', 'a(?i)b', '(?|a)', '[[:alpha:]]', '(?<name>a)', '\\p{Lu}', '\\x{41}', '\\Qa', '\\h', '[\\W]', '[!-\\w]', 'a{2}+', '\\A', 'a\\z', 'a\\Z', '\\B', '[\\S]', '[]a]', '[^]a]', '[[-]', '(?i)a', 'a(?=b)', '(?<!a)b', '\\x41', '\\f']) {
    t.throws(() => compileRegex(new Regex(pattern)), { code: 238 }, pattern)
  }
  for (const pattern of ['(', '[a', 'a\\', '*', 'b{2,1}']) t.throws(() => compileRegex(new Regex(pattern)), { code: 51091 }, pattern)
  t.throws(() => compileRegex(new Regex('a', 'g')), { code: 51108 })
  t.throws(() => compileRegex(new Regex('a b', 'x')), { code: 238 })
})

t.test('the literal prefix of an anchored expression is found', async t => {
  t.strictSame(regexPrefix(new Regex('^abc')), { prefix: 'abc', exact: true })
  t.strictSame(regexPrefix(new Regex('^abc.*')), { prefix: 'abc', exact: true })
  t.strictSame(regexPrefix(new Regex('^abc$')), { prefix: 'abc', exact: false })
  t.strictSame(regexPrefix(new Regex('^abc?d')), { prefix: 'ab', exact: false })
  t.strictSame(regexPrefix(new Regex('^a\\.b')), { prefix: 'a.b', exact: true })
  for (const [pattern, flags] of [['abc', ''], ['^abc', 'i'], ['^abc', 'm'], ['^a|b', ''], ['^', ''], ['^a*', ''], ['^.a', '']] as const) {
    t.equal(regexPrefix(new Regex(pattern, flags)), undefined, `/${pattern}/${flags}`)
  }
})

t.test('every match begins with the prefix, and if the prefix is exact, every text with it matches', async t => {
  const pattern = fc.array(fc.constantFrom('a', 'b', '.', '*', '?', '\\.', '[ab]', '(a)', '{2}', '$', '+', '.*'), { maxLength: 5 }).map(parts => `^${parts.join('')}`)
  fc.assert(fc.property(pattern, fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 5 }), (pattern, text) => {
    const prefix = regexPrefix(new Regex(pattern))
    let compiled: RegExp
    try {
      compiled = compileRegex(new Regex(pattern))
    } catch {
      return true
    }
    const matched = compiled.test(text)
    return prefix === undefined || (prefix.exact ? text.startsWith(prefix.prefix) === matched : !matched || text.startsWith(prefix.prefix))
  }), { numRuns: 5000 })
  t.pass()
})
