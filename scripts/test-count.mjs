// Prints `N passed, N failed, N skipped` from the closing line of a TAP report; exits non-zero when that line is
// missing, when something failed, or when nothing passed.
//   node scripts/test-count.mjs .tap/output.tap
import { readFileSync } from 'node:fs'

const [file = '.tap/output.tap'] = process.argv.slice(2)
const line = readFileSync(file, 'utf8').split('\n').filter(text => /^# \{ total: \d+/.test(text)).at(-1)
if (line === undefined) {
  console.error(`${file} has no closing line: the run did not end`)
  process.exit(1)
}
const count = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(line)?.[1] ?? 0)
const failed = count('fail')
const passed = count('pass')
console.log(`${passed} passed, ${failed} failed, ${count('skip') + count('todo')} skipped`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
