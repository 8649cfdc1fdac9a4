import fc from 'fast-check'
import t from 'tap'
import { foldedText } from '../../src/lib/folded-text.ts'

t.test('texts that look the same to a reader fold to the same text', async t => {
  const same: Array<[string, ...string[]]> = [
    ['cafe', 'Café', 'CAFÉ', 'cafe\u0301', 'ｃａｆé'],
    ['strasse', 'Straße', 'STRASSE', 'STRAẞE', 'ﬆraße'],
    ['istanbul', 'İstanbul', 'ISTANBUL', 'ıstanbul'],
    ['οδυσσευσ', 'Ὀδυσσεύς', 'ΟΔΥΣΣΕΥΣ'],
    ['елка', 'Ёлка', 'ЕЛКА'],
    ['oresund', 'Øresund'], ['lodz', 'Łódź'], ['thaettir', 'Þættir'], ['oeuvre', 'Œuvre'],
    ['שלום', 'שָׁלוֹם'], ['محمد', 'مُحَمَّد'],
    ['a b', '  A \u00a0\n B '], ['2', '²']
  ]
  for (const [folded, ...texts] of same) for (const text of [folded, ...texts]) t.equal(foldedText(text), folded, text)
})

t.test('marks that distinguish letters are kept', async t => {
  t.not(foldedText('が'), foldedText('か'))
  t.not(foldedText('कि'), foldedText('क'))
  t.equal(foldedText('東京'), '東京')
  t.equal(foldedText('🎉'), '🎉')
})

t.test('a folded text folds to itself', async t => {
  const letters = Array.from({ length: 0x30000 }, (_, code) => String.fromCodePoint(code)).filter(char => /\p{L}/u.test(char))
  t.same(letters.filter(letter => foldedText(foldedText(letter)) !== foldedText(letter)), [])
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => {
    const once = foldedText(text)
    return foldedText(once) === once
  }))
})
