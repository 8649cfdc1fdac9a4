import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { errorTable } from '../../src/errors.ts'
import { Acknowledgement, clientEvents, serverEvents } from '../../src/schemas/events.ts'
import { startApp } from '../helpers/app.ts'
import { root } from '../helpers/process.ts'

const protocol = readFileSync(join(root, 'docs', 'PROTOCOL.md'), 'utf8')
const section = (title: string) => protocol.split(/^## /m).find(text => text.startsWith(title)) ?? ''
/** The first cells of a table's rows, without the head. */
const firstCells = (text: string) => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell]) => cell!)

t.test('the documented errors are those of the table, with their status and retryability', async t => {
  const documented = [...section('Errors').matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \|/gm)]
    .map(([, code, status, retry]) => ({ code, status: Number(status), retryable: retry === 'yes' }))
  t.strictSame(documented, Object.entries(errorTable).map(([code, { status, retryable }]) => ({ code, status, retryable })))
})

t.test('the documented events are those of the schemas, both ways', async t => {
  t.strictSame(firstCells(section('Client events')), Object.keys(clientEvents))
  t.strictSame(firstCells(section('Server events')), Object.keys(serverEvents))
})

t.test('the hash of the wire\'s schemas has its line in docs/WIRE.md', async t => {
  const { call } = await startApp(t)
  const { status, body } = await call('GET', '/documentation/json')
  t.equal(status, 200)
  const wire = JSON.stringify([sorted({ paths: body.paths, schemas: body.components?.schemas }), sorted({ clientEvents, serverEvents, Acknowledgement, errorTable })])
  const hash = createHash('sha256').update(wire).digest('hex').slice(0, 16)
  const last = readFileSync(join(root, 'docs', 'WIRE.md'), 'utf8').trim().split('\n').at(-1)
  t.match(last, hash, 'the last line of docs/WIRE.md names the hash of the present wire')
})

/** Without descriptions, which are no part of the wire, and with keys in one order. */
function sorted (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value)
    .filter(([key, entry]) => !((key === 'description' || key === 'summary') && typeof entry === 'string'))
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, entry]) => [key, sorted(entry)]))
}
