import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../src/config.ts'
import { startApp } from './helpers/app.ts'
import { root } from './helpers/process.ts'

/** The cells of each row of a section's tables, without their heads. */
function rowsOf (title: string): string[][] {
  const text = readFileSync(join(root, 'docs', 'SECURITY.md'), 'utf8').split(/^## /m).find(section => section.startsWith(title)) ?? ''
  return [...text.matchAll(/^\| (.+) \|$/gm)].map(([, row]) => row!.split(' | ')).filter((cells, index, all) => !cells[0]!.startsWith('---') && !all[index + 1]?.[0]!.startsWith('---'))
}

const bare = (cell: string) => cell.replaceAll('`', '')
const numberIn = (cell: string) => Number(/\d[\d,]*/.exec(cell)![0].replaceAll(',', ''))
const bounds = rowsOf('Bounds')
const { app, call } = await startApp(t, { CORS_ORIGIN: 'https://chat.example' })

t.test('documented bounds with a variable match the configuration and its defaults', async t => {
  const defaults = readConfig({}) as Record<string, unknown>
  const documented = bounds.filter(([, , name]) => /^`[A-Z_]+`$/.test(name!)).map(([, number, name]) => [bare(name!), numberIn(number!)])
  const configured = Object.entries(defaults).filter(([name]) => /^RATE_LIMIT_|_MAX$|_TIMEOUT$/.test(name))
  t.strictSame(Object.fromEntries(documented), Object.fromEntries(configured))
  t.ok(documented.length > 10)
})

t.test('documented bounds without a variable are constants of the code, and all bounds of input are listed', async t => {
  const constants = bounds.flatMap(([, number, where]) => {
    const [, name, file] = /^`(\w+)` in `([^`]+)`$/.exec(where!) ?? []
    return name === undefined ? [] : [{ number: numberIn(number!), name, file: file! }]
  })
  t.equal(constants.length + bounds.filter(([, , name]) => /^`[A-Z_]+`$/.test(name!)).length, bounds.length, 'every row names one')
  for (const { number, name, file } of constants) {
    const line = new RegExp(`^(?:export )?const ${name} = (.+)$`, 'm').exec(readFileSync(join(root, file), 'utf8'))?.[1] ?? ''
    t.ok([...line.replaceAll('_', '').matchAll(/\d+/g)].some(([found]) => Number(found) === number), `${name} in ${file} is ${number}, not ${line}`)
  }
  const named = new Set(constants.map(({ name, file }) => `${name} in ${file}`))
  const bounding = ['src/sockets/operation-queue.ts', ...readdirSync(join(root, 'src/connection')).filter(file => file.endsWith('.ts')).map(file => `src/connection/${file}`)]
  for (const file of bounding) {
    for (const [, name] of readFileSync(join(root, file), 'utf8').matchAll(/^(?:export )?const (\w+Max|\w+Mark|\w+Times) = /gm)) {
      t.ok(named.has(`${name!} in ${file}`), `${name!} of ${file}`)
    }
  }
})

t.test('the documented headers are those of every answer', async t => {
  const { vary, ...own } = app.ownHeaders(undefined)
  t.equal(vary, 'Origin')
  const documented = rowsOf('Headers').map(([name, value]) => [bare(name!), bare(value!)] as const)
  t.strictSame(documented.map(([name]) => name).sort(), Object.keys(own).sort())
  for (const path of ['/health/live', '/nowhere', '/%']) {
    const { headers } = await call('GET', path)
    for (const [name, value] of documented) t.ok(headers.get(name)?.includes(value), `${path}: ${name}: ${headers.get(name) ?? ''}`)
  }
})

t.test('the documented routes without a token are exactly those', async t => {
  const { status, body } = await call('GET', '/documentation/json')
  t.equal(status, 200)
  const { paths } = body as { paths: Record<string, Record<string, { security?: unknown[] }>> }
  const open = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).filter(([, { security }]) => security?.length === 0).map(([method]) => `${method.toUpperCase()} ${path}`))
  t.strictSame(rowsOf('Who may do what').map(([cell]) => cell!).filter(cell => cell.startsWith('`')).map(bare).sort(), open.sort())
  for (const route of open) t.not((await call(...route.split(' ') as [string, string])).status, 401, route)
})
