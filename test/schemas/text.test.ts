import t from 'tap'
import { isLonger, isName, isPlain, isVisible } from '../../src/schemas/text.ts'

/** Letters and symbols by their category that no font draws anything for. */
const blanks = [0x115f, 0x1160, 0x2800, 0x3164, 0xffa0, 0x13441, 0x13442, 0x1d159]

/** The code points of a category, each as a text. */
function * ofCategory (category: string): Generator<[number, string]> {
  const pattern = new RegExp(`^\\p{${category}}$`, 'u')
  for (let point = 0; point <= 0x10ffff; point++) {
    const text = String.fromCodePoint(point)
    if (pattern.test(text)) yield [point, text]
  }
}

const failing = (category: string, holds: (point: number, text: string) => boolean) =>
  [...ofCategory(category)].filter(([point, text]) => !holds(point, text)).map(([point]) => point.toString(16)).slice(0, 5)

t.test('no character that only controls, spaces or combines is visible', async t => {
  for (const category of ['Cc', 'Cf', 'Cs', 'Zs', 'Zl', 'Zp', 'Mn', 'Mc', 'Me', 'Default_Ignorable_Code_Point', 'White_Space', 'Noncharacter_Code_Point']) {
    t.same(failing(category, (_, text) => !isVisible(text) && !isVisible(text + text)), [], category)
  }
  for (const blank of blanks) t.notOk(isVisible(String.fromCodePoint(blank)), blank.toString(16))
})

t.test('every letter, digit, sign and symbol is visible, and so are characters of newer Unicode versions', async t => {
  for (const category of ['L', 'N', 'P', 'S', 'Co']) t.same(failing(category, (point, text) => isVisible(text) || blanks.includes(point)), [], category)
  // Unassigned here: an emoji of next year.
  t.ok(isVisible('\u{1fae9}'))
  t.ok(isVisible('\u{1fadf}'))
})

t.test('one visible character is enough, whatever is around it', async t => {
  for (const text of ['a', '\u200bא\u200b', ' \n👍🏽\ufe0f', 'e\u0301', '\u3164漢', '🏴\u{e0067}\u{e007f}']) t.ok(isVisible(text), JSON.stringify(text))
  for (const text of ['', ' \t\r\n', '\u200b\u200d\u2060\ufeff', '\u2800\u2800', '\ufe0f', '\u0301', '\u0000', '\u202e\u202c', '\u00ad', '\u{e0067}']) t.notOk(isVisible(text), JSON.stringify(text))
})

t.test('a name is one line without controls of direction', async t => {
  for (const name of ['Ada', 'Ada Lovelace', 'عمر', 'שרה', '王芳', 'O\u2019Brien', '👩‍🚀', 'न\u093eम']) t.ok(isName(name), name)
  for (const category of ['Bidi_Control', 'Cc', 'Cs', 'Zl', 'Zp']) t.same(failing(category, (_, text) => !isName(`a${text}b`)), [], category)
  for (const name of ['', ' ', '\u200b', '\u3164', '\ufe0f', 'a\nb', 'a\ud800']) t.notOk(isName(name), JSON.stringify(name))
  t.ok(isPlain('a b\u200bc'))
  t.notOk(isPlain('a\u0000'))
})

t.test('lengths are counted in code points', async t => {
  t.notOk(isLonger('👍'.repeat(4), 4))
  t.ok(isLonger('👍'.repeat(5), 4))
  t.ok(isLonger('a'.repeat(5), 4))
  t.ok(isLonger('👍👍aaa', 4))
  t.notOk(isLonger('👍👍aa', 4))
  t.notOk(isLonger('', 0))
})
