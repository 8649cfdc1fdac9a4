// Prints `N passed, N failed, N skipped` from the closing line of a TAP report, and before it, to stderr, what failed;
// exits non-zero when that line is missing, when something failed, or when nothing passed.
//   node scripts/test-count.mjs .tap/output.tap
import { readFileSync } from 'node:fs'

/** What is shown of one failure. */
const DETAIL_LINES = 25

const [file = '.tap/output.tap'] = process.argv.slice(2)
const lines = readFileSync(file, 'utf8').split('\n')
const closing = lines.filter(line => /^# \{ total: \d+/.test(line)).at(-1)
if (closing === undefined) {
  console.error(`${file} has no closing line: the run did not end`)
  process.exit(1)
}

for (const [at, line] of lines.entries()) {
  if (/^ *not ok /.test(line) && !/ # (SKIP|TODO)/i.test(line)) console.error(lines.slice(at, at + DETAIL_LINES).join('\n'))
}

const count = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(closing)?.[1] ?? 0)
// The closing line counts assertions: a file whose process died after its last one failed too, and is none of them.
const failed = Math.max(count('fail'), lines.filter(line => /^not ok /.test(line)).length)
const passed = count('pass')
console.log(`${passed} passed, ${failed} failed, ${count('skip') + count('todo')} skipped`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
