import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { root } from '../helpers/process.ts'
import { buildWeb } from './browser.ts'

/** Kilobytes (1,000 bytes), gzipped. Beyond the limit nothing is published; the budget is what the app keeps to. */
const budgetKb = 90
const limitKb = 150
const cssKb = 12

buildWeb()
const dist = join(root, 'web/dist')
const page = readFileSync(join(dist, 'index.html'), 'utf8')
const files = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(match => match[1] ?? '')

t.test('the first load keeps to its budget', t => {
  const scripts = sizeOf('.js')
  t.ok(scripts > 10, 'it is the app')
  t.ok(scripts <= limitKb, `${scripts} KB of JavaScript are under the limit of ${limitKb}`)
  t.ok(scripts <= budgetKb, `${scripts} KB of JavaScript are in the budget of ${budgetKb}`)
  const styles = sizeOf('.css')
  t.ok(styles > 1 && styles <= cssKb, `${styles} KB of CSS are in the budget of ${cssKb}`)
  t.end()
})

t.test('the first load is one script and one style sheet, so that no round trip waits for another', t => {
  t.same(files.map(file => file.replace(/-[\w-]+\./, '.')).toSorted(), ['assets/app.css', 'assets/app.js'])
  const script = readFileSync(join(dist, files.find(file => file.endsWith('.js')) ?? ''), 'utf8')
  t.notMatch(script, /\bfrom\s*["']\.\//, 'it imports nothing that the page has not named')
  t.end()
})

function sizeOf (ending: string): number {
  const bytes = files
    .filter(file => file.endsWith(ending))
    .reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0)
  return Math.round(bytes / 100) / 10
}
