import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import t from 'tap'
import { root } from './helpers/process.ts'

const rooms = ['src', 'plugins', 'routes', 'packages/embedded-mongo/src', 'packages/client/src']

/** Files of a room with this end of their names, as paths from the root. */
function filesIn (room: string, ending: string): string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(ending)).map(name => join(room, name))
}

/** A README and what it names in its text, as paths from its own folder. */
function readmeOf (folder: string): { folder: string, names: Set<string> } {
  const file = join(root, folder, 'README.md')
  if (!existsSync(file)) return readmeOf(dirname(folder))
  return { folder, names: new Set([...readFileSync(file, 'utf8').matchAll(/`([\w./-]+\.ts)`/g)].map(([, name]) => name!)) }
}

t.test('every source file is named by the README of its folder, or by the next one above it', async t => {
  for (const file of rooms.flatMap(room => filesIn(room, '.ts'))) {
    const { folder, names } = readmeOf(dirname(file))
    t.ok(names.has(relative(folder, file).split(sep).join('/')), `${folder}/README.md names ${file}`)
  }
})

t.test('every file that a README lists exists', async t => {
  for (const readme of rooms.flatMap(room => filesIn(room, 'README.md'))) {
    for (const [item] of readFileSync(join(root, readme), 'utf8').matchAll(/^- `[^:\n]+:/gm)) {
      for (const [, name] of item.matchAll(/`([\w./-]+)`/g)) {
        t.ok(existsSync(join(root, dirname(readme), name!)), `${readme}: ${name!}`)
      }
    }
  }
})

t.test('ARCHITECTURE follows a message through at most 20 files, a returning client through 18, none twice', async t => {
  const text = readFileSync(join(root, 'docs', 'ARCHITECTURE.md'), 'utf8')
  for (const [title, filesMax] of [['The path of a message', 20], ['The path of a returning client', 18]] as const) {
    const section = text.split(/^## /m).find(part => part.startsWith(title)) ?? ''
    const files = [...section.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file]) => file!)
    t.ok(files.length > 10 && files.length <= filesMax, `${title}: ${files.length} files`)
    t.equal(new Set(files).size, files.length, `${title}: none twice`)
    for (const file of files) t.ok(existsSync(join(root, file)), file)
  }
})
