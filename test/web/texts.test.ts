import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { de } from '../../web/src/i18n/de.ts'
import { en } from '../../web/src/i18n/en.ts'
import { root } from '../helpers/process.ts'

const folder = join(root, 'web/src')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.tsx'))

/** Attributes that people read or hear. */
const spoken = new Set(['aria-label', 'title', 'placeholder', 'alt', 'label', 'text', 'hint', 'question', 'act'])
/** What is no text of a language: single letters that show a size, marks, names of keys. */
const isText = (value: string): boolean => /\p{L}{2}/u.test(value)

t.test('no component contains a text: all are in the language files', t => {
  t.ok(files.length > 30)
  for (const file of files) {
    const source = ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX)
    const found: string[] = []
    visit(source, found)
    t.same(found, [], file)
  }
  t.end()
})

t.test('both languages have all texts, and none is left in English', t => {
  const english = flat(en)
  const german = flat(de)
  t.same([...german.keys()], [...english.keys()])
  const alike = [...english].filter(([key, text]) => typeof text === 'string' && text === german.get(key)).map(([key]) => key)
  // Names and words that both languages share.
  const shared = [/^app\.name$/, /\.name$/, /offline$/i, /emoji/i, /moderator$/, /^keys\.key\./, /^settings\.session/, /^faults\./, /^rooms\.name$/, /^signIn\.(fullName|token)$/, /^search\.(where|kinds\.(link|video))$/]
  t.same(alike.filter(key => !shared.some(pattern => pattern.test(key))), [])
  t.end()
})

function visit (node: ts.Node, found: string[]): void {
  if (ts.isJsxText(node) && isText(node.text)) found.push(node.text.trim())
  if (ts.isJsxAttribute(node) && spoken.has(node.name.getText()) && node.initializer !== undefined && ts.isStringLiteral(node.initializer) && isText(node.initializer.text)) {
    found.push(node.initializer.text)
  }
  ts.forEachChild(node, child => { visit(child, found) })
}

function flat (texts: object, prefix = ''): Map<string, unknown> {
  return new Map(Object.entries(texts).flatMap(([key, value]): Array<[string, unknown]> =>
    typeof value === 'object' && value !== null ? [...flat(value as object, `${prefix}${key}.`)] : [[prefix + key, value]]))
}
