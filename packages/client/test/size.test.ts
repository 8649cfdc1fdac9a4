import t from 'tap'
// @ts-expect-error a script has no types
import { sizes } from '../scripts/size.mjs'

/** Kilobytes, minified and gzipped, at first and connected: more of them is a decision. */
const budgets = {
  core: { first: 19, connected: 31.6 },
  withIndexedDb: { first: 22.4, connected: 35 },
  all: { first: 23.1, connected: 49.1 }
}

type Measured = Record<keyof typeof budgets, { first: number, connected: number, files: number }>

t.test('the client keeps to its size limits', async t => {
  const measured = await (sizes as () => Promise<Measured>)()
  for (const [name, budget] of Object.entries(budgets)) {
    const { first, connected, files } = measured[name as keyof Measured]
    t.ok(first <= budget.first * 1_000, `${name}, at first: ${first} bytes, of ${budget.first} KB`)
    t.ok(connected <= budget.connected * 1_000, `${name}, connected: ${connected} bytes, of ${budget.connected} KB`)
    // The entry, what is shared with later parts, and esbuild's own helpers.
    t.ok(files <= 3, `${name}: ${files} files at once, not one for each thing that is shared`)
  }
})

t.test('the bundle contains nothing of the server and nothing of Node', async t => {
  const { build } = await import('esbuild')
  const { fileURLToPath } = await import('node:url')
  const { metafile } = await build({
    entryPoints: ['index.ts', 'storage/indexeddb.ts', 'network/socket.ts', 'pure/index.ts']
      .map(entry => fileURLToPath(new URL(`../src/${entry}`, import.meta.url))),
    bundle: true,
    write: false,
    outdir: 'out',
    format: 'esm',
    metafile: true,
    platform: 'browser',
    conditions: ['@tidelog/source']
  })
  const inputs = Object.keys(metafile.inputs)
  t.strictSame(inputs.filter(path => /typebox|node:|packages\/client\/\.\.|\/src\/schemas\//.test(path)), [])
})
