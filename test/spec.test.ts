import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { root } from './helpers/process.ts'

const spec = readFileSync(join(root, 'docs', 'SPEC.md'), 'utf8')
const invariants = spec.split(/^## (?=[IC]\d+\.)/m).slice(1).map(text => ({
  id: /^[IC]\d+/.exec(text)![0],
  enforced: filesOf(/^- Enforced: (.+)$/m.exec(text)?.[1]),
  tests: filesOf(/^- Tests: (.+)$/m.exec(text)?.[1])
}))

function filesOf (line: string | undefined): string[] {
  return [...(line ?? '').matchAll(/`([^`]+)`/g)].map(([, file]) => file!)
}

t.test('every invariant names where it is enforced and a test whose title begins with its id', async t => {
  t.strictSame(invariants.map(({ id }) => id), ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8', 'C9'])
  for (const { id, enforced, tests } of invariants) {
    t.ok(enforced.length > 0 && tests.length > 0, `${id} names both`)
    for (const file of [...enforced, ...tests]) t.ok(existsSync(join(root, file)), `${id}: ${file}`)
    for (const file of tests.filter(file => existsSync(join(root, file)))) {
      const titles = [...readFileSync(join(root, file), 'utf8').matchAll(/(?:test\(|title =)\s*['`]((?:[IC]\d+[ :])+)/g)].map(([, ids]) => ids!)
      t.ok(titles.some(ids => ids.split(/[ :]+/).includes(id)), `${id}: a test in ${file} bears its id`)
    }
  }
})

t.test('documents link only to files that exist', async t => {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'))
  for (const page of [...pages.map(name => `docs/${name}`), 'CONTRIBUTING.md', 'src/README.md', 'test/README.md']) {
    const text = readFileSync(join(root, page), 'utf8')
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      t.ok(existsSync(join(root, dirname(page), target!)), `${page}: ${target!}`)
    }
  }
})
